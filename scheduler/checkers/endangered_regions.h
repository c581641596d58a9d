#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace scheduler {

/// The regions that lack most peers, which are looked at before all others (as in the reference). A region that was
/// looked at in vain waits longer each time: `attempts` * 10 * the patrol's interval since the last look.
///
/// Bounded: when it is full, the region that lacks least goes for one that lacks more. Note costs the logarithm of the
/// number of regions, TakeDue that number. Plain state; one owner at a time changes it.
class EndangeredRegions {
 public:
  static constexpr size_t kMax = 1280;

  /// A look at the region found that it lacks so many peers; 0: it goes. Another number than before starts anew.
  void Note(RegionId region, uint64_t missing, Instant now);
  /// It is no longer there.
  void Forget(RegionId region) { Note(region, 0, {}); }
  void Clear();

  /// The regions whose time has come, those that lack most first; each counts as looked at.
  std::vector<RegionId> TakeDue(Instant now, Millis patrol_interval);

  /// When the first of them is due; none without any. O(regions).
  [[nodiscard]] std::optional<Instant> NextDue(Millis patrol_interval) const;

  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t missing = 0;
    int64_t attempts = 1;
    Instant last;
  };
  /// Those that lack most first.
  struct WorstFirst {
    bool operator()(const std::pair<uint64_t, RegionId>& a,
                    const std::pair<uint64_t, RegionId>& b) const {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    }
  };

  std::map<RegionId, Entry> entries_;
  std::set<std::pair<uint64_t, RegionId>, WorstFirst> order_;  // The same, by missing peers.
};

}  // namespace scheduler

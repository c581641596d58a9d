#pragma once

#include <cstddef>
#include <optional>

#include "pd/cluster/recent_regions.h"
#include "pd/runtime/clock.h"
#include "scheduler/model/region.h"

namespace pd {

/// When regions were last seen to split or to merge, from how their ranges change: a region that lost keys, or came
/// into being, is of a split; one that gained keys has taken in a neighbour. Every member keeps this from what it sees,
/// reports, the leader's feed or what the group applies, so that a new leader knows what its predecessor did; a process
/// knows nothing of the time before it started. Thread-safe.
class RangeHistory {
 public:
  static constexpr size_t kNotesMax = 262'144;  // Of each kind.

  explicit RangeHistory(const Clock& clock)
      : clock_(clock), known_since_(InstantOf(clock.Monotonic())) {}

  /// What was known of a region (null: nothing), and what is now.
  void Note(const scheduler::Region* before, const scheduler::Region& now);

  /// None when not seen, or too many were since.
  [[nodiscard]] std::optional<scheduler::Instant> LastSplit(scheduler::RegionId region) const {
    return splits_.LastOf(region);
  }
  [[nodiscard]] std::optional<scheduler::Instant> LastMerge(scheduler::RegionId region) const {
    return merges_.LastOf(region);
  }
  [[nodiscard]] scheduler::Instant known_since() const { return known_since_; }

 private:
  const Clock& clock_;
  const scheduler::Instant known_since_;
  RecentRegions splits_{kNotesMax};
  RecentRegions merges_{kNotesMax};
};

}  // namespace pd

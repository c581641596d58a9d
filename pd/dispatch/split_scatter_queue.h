#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"
#include "scheduler/scatter/split_scatter.h"

namespace pd {

/// The parts of splits for load that wait to be scattered (as in the reference): in batches, one for each split, until
/// they are done or ten minutes have passed. A region waits once: with a newer split it moves to that one's batch.
/// Memory of the leader. Thread-safe.
class SplitScatterQueue {
 public:
  static constexpr size_t kRegionsMax = 4096;
  static constexpr Millis kAge = std::chrono::minutes{10};

  /// The parts of one split.
  struct Batch {
    scheduler::SplitScatterGroup group;
    scheduler::RegionId source;
    uint64_t version = 0;  // What the source has when it has split; before that nothing is done.
    std::vector<scheduler::RegionId> regions;
  };
  /// All regions of the batch wait from now on; or none of them, and false, where there would be more than kRegionsMax.
  bool Add(const Batch& batch, scheduler::Instant now) PD_EXCLUDES(mutex_);

  /// A region that waits. Of a newer batch it is another.
  struct Waiting {
    scheduler::RegionId region;
    scheduler::RegionId source;
    uint64_t version = 0;
    scheduler::SplitScatterGroup group;
    uint64_t batch = 0;
  };
  /// Those whose time has come, at most `count_max`: by the time at which they expire, by group, by id.
  [[nodiscard]] std::vector<Waiting> Due(scheduler::Instant now, size_t count_max) const
      PD_EXCLUDES(mutex_);

  /// Whether the region was looked at for itself, or waits for its split to be heard of.
  enum class Attempt : uint8_t { kMade, kNotYet };
  /// Not before `until`. Nothing becomes of one that has gone or was replaced meanwhile; nor with Done().
  void Delay(const Waiting& waiting, scheduler::Instant until, Attempt attempt) PD_EXCLUDES(mutex_);
  void Done(const Waiting& waiting) PD_EXCLUDES(mutex_);

  struct Expired {
    size_t attempted = 0;
    size_t not_attempted = 0;
  };
  /// Drops those that have waited for kAge.
  Expired DropExpired(scheduler::Instant now) PD_EXCLUDES(mutex_);

  void Clear() PD_EXCLUDES(mutex_);
  [[nodiscard]] size_t size() const PD_EXCLUDES(mutex_);

 private:
  struct Wait {
    scheduler::Instant from;
    bool attempted = false;
  };
  struct Entry {
    scheduler::SplitScatterGroup group;
    scheduler::RegionId source;
    uint64_t version = 0;
    std::map<scheduler::RegionId, Wait> regions;  // Never empty.
  };
  /// When it expires, its group's name, its number.
  using Key = std::tuple<scheduler::Instant, std::string, uint64_t>;

  Wait* Find(const Waiting& waiting) PD_REQUIRES(mutex_);
  void Remove(scheduler::RegionId region) PD_REQUIRES(mutex_);

  mutable Mutex mutex_;
  uint64_t last_number_ PD_GUARDED_BY(mutex_) = 0;
  std::map<Key, Entry> batches_ PD_GUARDED_BY(mutex_);
  std::map<scheduler::RegionId, Key> batch_of_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

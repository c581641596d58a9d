#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "pd/runtime/mutex.h"
#include "scheduler/model/region.h"

namespace pd {

/// The leader's record of changed regions, from which followers are fed: a ring with a running index
/// (as in the reference). Bounded; whoever falls behind its start needs a full copy. Thread-safe.
class RegionFeed {
 public:
  static constexpr size_t kRecordsMax = 10'000;

  /// Appends a change.
  void Append(const scheduler::Region& region);

  /// Index that the next change gets.
  [[nodiscard]] uint64_t next_index() const;
  /// Of the oldest change that is still there; the next index when there is none.
  [[nodiscard]] uint64_t first_index() const;
  /// A leader starts numbering above what followers have seen of others.
  void Reset(uint64_t next_index);

  /// Up to `records_max` changes from `index` on (empty when there is nothing newer); none when
  /// `index` is 0, above the next index, or no longer in the ring.
  [[nodiscard]] std::optional<std::vector<scheduler::Region>> From(uint64_t index,
                                                                   size_t records_max) const;

 private:
  mutable Mutex mutex_;
  std::deque<scheduler::Region> records_ PD_GUARDED_BY(mutex_);
  uint64_t next_index_ PD_GUARDED_BY(mutex_) = 1;
};

}  // namespace pd

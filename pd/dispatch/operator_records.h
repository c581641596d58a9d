#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "pd/dispatch/operator_info.h"
#include "scheduler/model/ids.h"

namespace pd {

/// Ended operators, in the order of their ends, and the last one of each region. Bounded in number; the owner drops
/// them by age. Every record has a number, one more than the record before it: a long list can be read in parts.
///
/// Adding and finding cost the logarithm of the number of records; reading costs what is read. Not thread-safe.
class OperatorRecords {
 public:
  static constexpr size_t kMax = 100'000;

  /// Adds an operator that has ended at `ended`, later on the monotonic clock than those before it. The oldest record
  /// goes when there are too many.
  void Add(OperatorInfo info, Stamp ended);
  /// Drops what ended before `monotonic`.
  void DropEndedBefore(Nanos monotonic);
  void Clear();

  /// The latest record of a region; null if there is none.
  [[nodiscard]] const OperatorInfo* Latest(scheduler::RegionId region) const;

  /// The number from which on Read finds all that ended at `unix_ns` or later. Records before it all ended earlier;
  /// where the clock was set back, so may some after it.
  [[nodiscard]] uint64_t NumberFrom(int64_t unix_ns) const;
  /// Copies of at most `most` records, oldest first, from `*number` on, which moves behind the last of them. None:
  /// there are no more.
  [[nodiscard]] std::vector<OperatorInfo> Read(uint64_t* number, size_t most) const;

  [[nodiscard]] size_t size() const { return records_.size(); }
  /// Of regions that have a record; at most size().
  [[nodiscard]] size_t region_count() const { return latest_.size(); }

 private:
  struct Record {
    OperatorInfo info;
    Nanos ended{0};  // On the monotonic clock.
    int64_t latest_unix_ns =
        0;  // Of this one and all before it: never falls, whatever the clock does.
  };

  void DropOldest();

  std::deque<Record> records_;
  uint64_t first_ = 0;  // Number of records_.front().
  std::map<scheduler::RegionId, uint64_t> latest_;
};

}  // namespace pd

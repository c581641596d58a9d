#pragma once

#include "scheduler/model/load.h"
#include "scheduler/model/store.h"
#include "scheduler/stats/rolling_load.h"

namespace scheduler {

/// The loads of one store, from its heartbeats (as in the reference): means of 10 s, median of five. Its CPU time for
/// reads is that of the threads whose names begin with "unified-read".
class RollingStoreLoad {
 public:
  /// A report over an interval that does not count changes nothing.
  void Report(const StoreStats& stats);
  /// Without regions_write.
  [[nodiscard]] StoreLoads Value() const { return {read_.Smoothed(), write_.Smoothed(), {}}; }

 private:
  static constexpr uint64_t kWindowS = 10;
  RollingLoad read_{kWindowS};
  RollingLoad write_{kWindowS};
};

}  // namespace scheduler

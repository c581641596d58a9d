#pragma once

#include <vector>

#include "pd/dispatch/operator_info.h"
#include "pd/metrics/metrics.h"
#include "pd/runtime/mutex.h"
#include "scheduler/stats/move_history.h"

namespace pd {

/// What operators of schedulers have moved since it was last asked: the way from whichever thread sees an operator end
/// to the one that plans. Thread-safe. Bounded: beyond kMax further ones are not noted, which only means that a
/// region may come back sooner.
class FinishedMoves {
 public:
  static constexpr size_t kMax = 100'000;

  explicit FinishedMoves(MetricsRegistry& metrics);

  /// An operator has ended. Only what balancing has done counts.
  void Note(const OperatorInfo& ended) PD_EXCLUDES(mutex_);
  /// Brings the history up to now, and counts what came back all the same.
  void AddTo(scheduler::MoveHistory& history, scheduler::Instant now) PD_EXCLUDES(mutex_);
  void Clear() PD_EXCLUDES(mutex_);

 private:
  struct Move {
    scheduler::MovedThing what = scheduler::MovedThing::kPeer;
    scheduler::RegionId region;
    scheduler::StoreId store;
    bool came = false;  // Else it left.
  };

  CounterFamily& back_;
  Mutex mutex_;
  std::vector<Move> moves_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

#pragma once

#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// When a move is worth it (as in the reference). Both stores are judged as if the move had been made, plus a
/// tolerance, plus what running operators will still change: a move that would soon have to be taken back is not made.
struct BalanceVerdict {
  double source_score = 0;
  double target_score = 0;

  [[nodiscard]] bool Worthwhile() const { return source_score > target_score; }
};

/// `influence` is that of the running operators and of what this run has proposed already.
BalanceVerdict JudgeLeaderMove(const PlanContext& context, const Influence& influence,
                               const Store& source, const Store& target);
BalanceVerdict JudgeRegionMove(const PlanContext& context, const Influence& influence,
                               const Store& source, const Store& target);

/// Leaders, or MiB by size policy, that a leader move tolerates.
int64_t LeaderTolerance(const PlanContext& context);
/// MiB that a region move tolerates: the average region size times the ratio, which grows with the region count.
int64_t RegionTolerance(const PlanContext& context);

/// The leaders (or MiB) that the running operators bring to a store.
int64_t LeaderDelta(const PlanContext& context, const StoreInfluence& influence);

}  // namespace scheduler

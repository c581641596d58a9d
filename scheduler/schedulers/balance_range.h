#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/range_jobs.h"

namespace scheduler {

struct BalanceRangeConfig {
  RangeJobs jobs;

  friend bool operator==(const BalanceRangeConfig&, const BalanceRangeConfig&) = default;
};

/// Spreads the leaders, peers or learners of some key ranges over the stores of one engine, job by job (as in the
/// reference). While a job runs balance-leader and balance-region leave its ranges alone.
///
/// What a store is to have follows from the placement rules of the ranges: of each rule that it meets its part of the
/// copies by location (fair_share.h), never more than one of a region; of the leaders an equal part with all stores on
/// which some rule lets a peer lead. A store's surplus is what it has less that. Moves go from stores with a surplus to
/// those with a lack where the two surpluses are at least two apart, with what operators under way will change counted
/// against the move. (The reference compares what the stores have, which is the same where all are to have the same.)
/// A leader goes to a follower, whose store may have enough as long as the two are apart: from there another one goes
/// on. Only where no follower is good enough it goes with its peer to another store.
///
/// A job is over when the surpluses and lacks of all stores, each rounded towards zero, add up to one at most; when no
/// two are two apart; or when its time is out. Notes in `config` what becomes of the jobs. Up to eight moves a run.
/// Counts come from order statistics: a region that sticks out of a range counts, but is not moved.
Decision BalanceRange(const PlanContext& context, BalanceRangeConfig& config, Rng& rng);

/// What each store of the job's engine has less what it is to have, by ascending id of the store.
struct RangeSurplus {
  StoreId store;
  double has = 0;
  double wanted = 0;

  [[nodiscard]] double surplus() const { return has - wanted; }
};
std::vector<RangeSurplus> SurplusesOf(const PlanContext& context, const RangeJob& job);

/// Nothing is left to be done for a job.
bool IsSpread(const std::vector<RangeSurplus>& stores);

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/retry_quota.h"

namespace scheduler {

struct BalanceWitnessConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
  uint64_t batch = 4;  // Proposals a run, 1..10.
};

/// Evens out witnesses: a witness on the store with the most gets its data, and a follower of the same region on a
/// store with fewer becomes the witness in its place (as in the reference; which looks at the one store with the most,
/// once a run). Data come before they go, see Builder.
///
/// Both stores are judged as if that had been done, plus what running operators will change, plus a tolerance of 0.5%
/// of the regions of the fullest store, at least one.
Decision BalanceWitness(const PlanContext& context, const BalanceWitnessConfig& config,
                        RetryQuota& quota, Rng& rng);

}  // namespace scheduler

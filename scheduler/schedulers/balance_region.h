#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/balance_memory.h"

namespace scheduler {

struct BalanceRegionConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
};

/// Evens out the data on the stores (as in the reference): a peer from the store with the highest region score to the
/// one with the lowest where the region's rules stay as well fulfilled. Up to eight moves a run, each seeing the
/// ones before it (the reference makes one). Pure.
Decision BalanceRegion(const PlanContext& context, const BalanceRegionConfig& config,
                       BalanceMemory& memory, Rng& rng);

}  // namespace scheduler

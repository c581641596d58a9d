#pragma once

#include "scheduler/schedulers/registry.h"

namespace scheduler {

/// Stores up and reporting that they are about to stop.
std::vector<StoreId> StoppingStores(const ClusterView& view);

/// Evicts the leaders of the one store that is stopping; of several, none: leaders would only move around.
Decision EvictStoppingStore(const PlanContext& context, const EvictStoppingStoreConfig& config,
                            Rng& rng);

/// Evicts the leaders of a store whose slow score reached 100 while no other up store is slow, until its score has been
/// 1 for the recovery duration. `memory` holds the store.
Decision EvictSlowStore(const PlanContext& context, const EvictSlowStoreConfig& config,
                        SchedulerMemory& memory, Rng& rng);

}  // namespace scheduler

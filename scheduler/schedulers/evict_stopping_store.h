#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Moves leaders away from stores that report that they are stopping.
struct EvictStoppingStoreConfig {
  uint64_t batch = 3;
  std::vector<StoreId> evicted;  // What the last run found, for people.

  friend bool operator==(const EvictStoppingStoreConfig&,
                         const EvictStoppingStoreConfig&) = default;
};

/// Stores up and reporting that they are about to stop.
std::vector<StoreId> StoppingStores(const ClusterView& view);

/// Evicts the leaders of the one store that is stopping; of several, none: leaders would only move around. Notes the
/// store in `config`.
Decision EvictStoppingStore(const PlanContext& context, EvictStoppingStoreConfig& config, Rng& rng);

}  // namespace scheduler

#include "scheduler/schedulers/evict_stopping_store.h"

#include "scheduler/schedulers/evict_leader.h"

namespace scheduler {

std::vector<StoreId> StoppingStores(const ClusterView& view) {
  std::vector<StoreId> stopping;
  for (const Store& store : view.stores()) {
    if (store.IsUp() && store.stats.stopping) stopping.push_back(store.id);
  }
  return stopping;
}

Decision EvictStoppingStore(const PlanContext& context, EvictStoppingStoreConfig& config,
                            Rng& rng) {
  const std::vector<StoreId> stopping = StoppingStores(context.view);
  config.evicted.clear();
  if (stopping.size() == 1) {
    config.evicted = stopping;
    return EvictStores(context, stopping, config.batch, {"evict-stopping-store"}, rng);
  }
  Decision decision;
  decision.Refuse({Reason::kNoSource, StoreId{}, RegionId{}, static_cast<double>(stopping.size()),
                   1, "stores that are stopping"});
  return decision;
}

}  // namespace scheduler

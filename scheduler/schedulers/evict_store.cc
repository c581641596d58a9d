#include "scheduler/schedulers/evict_store.h"

#include <algorithm>

namespace scheduler {
namespace {

constexpr uint64_t kEvictScore = 100;
constexpr uint64_t kFastScore = 1;

Decision EvictAll(const PlanContext& context, StoreId store, uint64_t batch, const char* desc,
                  Rng& rng) {
  EvictLeaderConfig config;
  config.stores[store] = {KeyRange{}};
  config.batch = batch;
  return EvictLeader(context, config, desc, DeniedRegions::kLeftAlone, rng);
}

Decision Nothing(Reason reason, StoreId store, double value, double bound) {
  Decision decision;
  decision.Refuse({reason, store, RegionId{}, value, bound, {}});
  return decision;
}

/// Forgets the evicted store once it has been fast for long enough; true when it is still to be evicted.
bool StillSlow(const PlanContext& context, const EvictSlowStoreConfig& config,
               SchedulerMemory& memory) {
  const Store* store = context.view.FindStore(*memory.slow_store);
  if (store == nullptr || !store->IsUp()) {
    memory.slow_store.reset();
    return false;
  }
  if (store->stats.slow_score > kFastScore) {
    memory.recovering_at.reset();
    return true;
  }
  if (!memory.recovering_at) memory.recovering_at = context.now;
  const Millis wanted = Seconds{static_cast<int64_t>(config.recovery_duration_s)};
  if (context.now - *memory.recovering_at < wanted) return true;
  memory.slow_store.reset();
  memory.recovering_at.reset();
  return false;
}

}  // namespace

std::vector<StoreId> StoppingStores(const ClusterView& view) {
  std::vector<StoreId> stopping;
  for (const Store& store : view.stores()) {
    if (store.IsUp() && store.stats.stopping) stopping.push_back(store.id);
  }
  return stopping;
}

Decision EvictStoppingStore(const PlanContext& context, const EvictStoppingStoreConfig& config,
                            Rng& rng) {
  const std::vector<StoreId> stopping = StoppingStores(context.view);
  if (stopping.size() != 1) {
    return Nothing(Reason::kNoSource, StoreId{}, static_cast<double>(stopping.size()), 1);
  }
  return EvictAll(context, stopping.front(), config.batch, "evict-stopping-store", rng);
}

Decision EvictSlowStore(const PlanContext& context, const EvictSlowStoreConfig& config,
                        SchedulerMemory& memory, Rng& rng) {
  if (!memory.slow_store) {
    std::vector<const Store*> slow;
    for (const Store& store : context.view.stores()) {
      if (store.IsUp() && store.IsSlow()) slow.push_back(&store);
    }
    if (slow.size() != 1) {
      return Nothing(Reason::kNoSource, StoreId{}, static_cast<double>(slow.size()), 1);
    }
    const uint64_t score = slow.front()->stats.slow_score;
    if (score < kEvictScore) {
      return Nothing(Reason::kNoSource, slow.front()->id, static_cast<double>(score), kEvictScore);
    }
    memory.slow_store = slow.front()->id;
  }
  if (!StillSlow(context, config, memory)) return Nothing(Reason::kNoSource, StoreId{}, 0, 1);
  return EvictAll(context, *memory.slow_store, config.batch, "evict-slow-store", rng);
}

}  // namespace scheduler

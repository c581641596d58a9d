#include "scheduler/schedulers/label.h"

#include "scheduler/filters/store_filter.h"
#include "scheduler/schedulers/evict_leader.h"

namespace scheduler {

Decision MoveRejectedLeaders(const PlanContext& context, const LabelConfig& config, Rng& rng) {
  constexpr uint64_t kBatch = 4;
  EvictLeaderConfig evict;
  evict.batch = kBatch;
  Decision refused;
  for (const Store& store : context.view.stores()) {
    if (!RejectsLeaders(context, store)) continue;
    if (auto refusal = RefuseLeaderSource(context, store)) {
      refused.Refuse(*std::move(refusal));
    } else {
      evict.stores[store.id] = config.ranges;
    }
  }
  if (evict.stores.empty()) {
    refused.Refuse(
        {Reason::kNoSource, StoreId{}, RegionId{}, 0, 1, "stores labelled to hold no leaders"});
    return refused;
  }
  Decision decision = EvictLeader(
      context, evict, {"label-reject-leader", DeniedRegions::kLeftAlone, Priority::kMedium}, rng);
  for (Refusal& refusal : refused.refusals) decision.Refuse(std::move(refusal));
  return decision;
}

}  // namespace scheduler

#include "scheduler/schedulers/evict_leader.h"

#include <algorithm>
#include <string>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/planned_run.h"
#include "scheduler/schedulers/tolerance.h"

namespace scheduler {
namespace {

class Eviction {
 public:
  Eviction(const PlanContext& context, const EvictLeaderConfig& config, const EvictionWish& wish,
           Rng& rng)
      : context_(context), config_(config), wish_(wish), rng_(rng), run_(context) {}

  Decision Run() {
    // Rounds over the stores, so that each gets its share of the batch.
    bool any = true;
    while (any && run_.proposals() < config_.batch) {
      any = false;
      for (const auto& [store, ranges] : config_.stores) {
        if (run_.proposals() >= config_.batch) break;
        any |= EvictOne(store, ranges);
      }
    }
    return std::move(run_.decision());
  }

 private:
  bool EvictOne(StoreId store, const std::vector<KeyRange>& ranges) {
    const auto taken = [&](const Region& region) { return run_.RefuseTaken(region); };
    const RegionDraw draw{store, HeldAs::kLeader, ranges, wish_.denied};
    auto region = PickRegion(context_, draw, rng_, run_.decision(), [&](const Region& candidate) {
      auto refusal = RefuseUnhealthyRegion(candidate);
      return refusal ? refusal : taken(candidate);
    });
    if (!region) region = PickRegion(context_, draw, rng_, run_.decision(), taken);
    if (!region) return run_.Refuse(Reason::kNoRegion, store);
    return Propose(store, *region);
  }

  bool Propose(StoreId store, const Region& region) {
    std::vector<StoreId> targets;
    for (const Peer& peer : region.peers) {
      const Store* target = context_.view.FindStore(peer.store);
      if (peer.store == store || IsLearner(peer) || peer.witness || target == nullptr ||
          region.IsDown(peer.id) || region.IsPending(peer.id)) {
        continue;
      }
      auto refusal = RefuseLeaderTarget(context_, *target);
      if (!refusal) refusal = RefuseLeaderByRules(context_, region, *target);
      if (refusal) {
        run_.decision().Refuse(std::move(*refusal));
        continue;
      }
      targets.push_back(peer.store);
    }
    if (targets.empty()) return run_.Refuse(Reason::kNoTarget, store, region.id);
    std::ranges::sort(targets);
    return run_.Take(region,
                     Builder(context_, wish_.desc, region)
                         .SetLeader(BestOf(targets))
                         .SetLeaderCandidates(targets)
                         .SetWhy("store " + std::to_string(store.value) + " gives up leaders")
                         .Build(Kind::kLeader, wish_.priority));
  }

  /// Where there are fewest leaders, so that no more need move afterwards (any of them in the reference).
  [[nodiscard]] StoreId BestOf(const std::vector<StoreId>& targets) const {
    return *std::ranges::min_element(targets, {}, [&](StoreId id) {
      const int64_t coming = LeaderDelta(context_, run_.influence().Of(id));
      return context_.LeaderScore(*context_.view.FindStore(id), coming);
    });
  }

  const PlanContext& context_;
  const EvictLeaderConfig& config_;
  const EvictionWish wish_;
  Rng& rng_;
  PlannedRun run_;
};

}  // namespace

Decision EvictLeader(const PlanContext& context, const EvictLeaderConfig& config,
                     const EvictionWish& wish, Rng& rng) {
  return Eviction(context, config, wish, rng).Run();
}

Decision EvictStores(const PlanContext& context, std::span<const StoreId> stores, uint64_t batch,
                     const EvictionWish& wish, Rng& rng) {
  EvictLeaderConfig config;
  for (const StoreId store : stores) config.stores[store] = {KeyRange{}};
  config.batch = batch;
  return EvictLeader(context, config, wish, rng);
}

Decision GrantLeader(const PlanContext& context, const GrantLeaderConfig& config, Rng& rng) {
  Decision decision;
  for (const auto& [store, ranges] : config.stores) {
    const Store* target = context.view.FindStore(store);
    if (target == nullptr) {
      decision.Refuse({Reason::kStoreUnknown, store, RegionId{}, 0, 0, {}});
      continue;
    }
    if (auto refusal = RefuseBasicTarget(context, *target)) {
      decision.Refuse(std::move(*refusal));
      continue;
    }
    const auto region =
        PickRegion(context, {store, HeldAs::kFollower, ranges}, rng, decision,
                   [&](const Region& candidate) -> std::optional<Refusal> {
                     if (context.busy_regions.contains(candidate.id)) {
                       return Refusal{Reason::kOperatorExists, StoreId{}, candidate.id, 0, 0, {}};
                     }
                     return RefuseUnhealthyRegion(candidate);
                   });
    if (!region) {
      decision.Refuse({Reason::kNoRegion, store, RegionId{}, 0, 0, {}});
      continue;
    }
    decision.Take(region->id, Builder(context, "grant-leader", *region)
                                  .ForceLeader()
                                  .SetLeader(store)
                                  .SetWhy("store " + std::to_string(store.value) + " is to lead")
                                  .Build(Kind::kLeader, Priority::kHigh));
  }
  return decision;
}

}  // namespace scheduler

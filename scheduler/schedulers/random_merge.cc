#include "scheduler/schedulers/random_merge.h"

#include <algorithm>
#include <utility>

#include "scheduler/checkers/merge_target.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/merge.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {

Decision RandomMerge(const PlanContext& context, const RandomMergeConfig& config, Rng& rng) {
  Decision decision;
  std::vector<const Store*> stores;
  for (const Store& store : context.view.stores()) {
    if (auto refusal = RefuseBasicTarget(context, store)) {
      decision.Refuse(*std::move(refusal));
    } else if (store.counts.leaders > 0) {
      stores.push_back(&store);
    }
  }
  if (stores.empty()) {
    decision.Refuse({Reason::kNoSource, StoreId{}, RegionId{}, 0, 1, {}});
    return decision;
  }
  const StoreId store = stores[rng.Below(stores.size())]->id;
  const auto region =
      PickRegion(context, BalancedRegions(store, HeldAs::kLeader, config.ranges), rng, decision,
                 [&](const Region& candidate) -> std::optional<Refusal> {
                   if (auto refusal = RefuseBusyRegion(context, candidate)) return refusal;
                   if (auto refusal = RefuseUnhealthyRegion(candidate)) return refusal;
                   if (context.Fit(candidate).IsSatisfied()) return {};
                   return Refusal{Reason::kRegionNotReplicated, store, candidate.id, 0, 0, {}};
                 });
  if (!region) {
    decision.Refuse({Reason::kNoRegion, store, RegionId{}, kDrawsMax, kDrawsMax, {}});
    return decision;
  }
  std::vector<Region> targets = MergeCandidates(context, *region);
  std::erase_if(targets, [&](const Region& target) {
    auto refusal = RefuseMergeTarget(context, *region, target);
    if (!refusal) return false;
    decision.Refuse(*std::move(refusal));
    return true;
  });
  if (targets.empty()) {
    decision.Refuse({Reason::kNoTarget, StoreId{}, region->id, 0, 1, {}});
    return decision;
  }
  const Region& target = targets[rng.Below(targets.size())];
  Result<Proposal> merge =
      ProposeMerge(context, MergeWish::kOfChecker, "random-merge", *region, target);
  if (merge) {
    merge->priority = Priority::kLow;
    merge->why = "drawn at random";
  }
  decision.Take(region->id, std::move(merge));
  return decision;
}

}  // namespace scheduler

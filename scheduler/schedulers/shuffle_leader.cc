#include "scheduler/schedulers/shuffle_leader.h"

#include <string>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {

Decision ShuffleLeader(const PlanContext& context, const ShuffleLeaderConfig& config, Rng& rng) {
  Decision decision;
  std::vector<const Store*> targets;
  for (const Store& store : context.view.stores()) {
    auto refusal = RefuseSpecialUse(store);
    if (!refusal) refusal = RefuseLeaderTarget(context, store);
    if (refusal) {
      decision.Refuse(*std::move(refusal));
    } else {
      targets.push_back(&store);
    }
  }
  if (targets.empty()) {
    decision.Refuse({Reason::kNoTarget, StoreId{}, RegionId{}, 0, 1, {}});
    return decision;
  }
  const Store& target = *targets[rng.Below(targets.size())];
  const auto region =
      PickRegion(context, BalancedRegions(target.id, HeldAs::kFollower, config.ranges), rng,
                 decision, [&](const Region& candidate) -> std::optional<Refusal> {
                   if (auto refusal = RefuseBusyRegion(context, candidate)) return refusal;
                   if (auto refusal = RefuseUnhealthyRegion(candidate)) return refusal;
                   return RefuseLeaderMove(context, candidate, target);
                 });
  if (!region) {
    decision.Refuse({Reason::kNoRegion, target.id, RegionId{}, kDrawsMax, kDrawsMax, {}});
    return decision;
  }
  Result<Proposal> built = Builder(context, "shuffle-leader", *region)
                               .SetLeader(target.id)
                               .SetWhy("drawn at random")
                               .Build(Kind::kLeader, Priority::kLow);
  // Only now: of a person's operators no quorum is asked.
  if (built) built->kind |= Kind::kAdmin;
  decision.Take(region->id, std::move(built));
  return decision;
}

}  // namespace scheduler

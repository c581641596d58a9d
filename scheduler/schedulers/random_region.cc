#include "scheduler/schedulers/random_region.h"

#include <utility>

#include "scheduler/filters/store_filter.h"

namespace scheduler {

std::optional<Region> PickRegion(const PlanContext& context, const RegionDraw& draw, Rng& rng,
                                 Decision& decision, const RegionFilter& refuse) {
  for (int i = 0; i < kDrawsMax; ++i) {
    auto region = context.view.RandomRegion(draw.store, draw.held_as, draw.ranges, rng);
    if (!region) continue;
    if (draw.denied == DeniedRegions::kLeftAlone && context.IsScheduleDenied(*region)) {
      decision.Refuse({Reason::kRegionScheduleDenied, draw.store, region->id, 0, 0, {}});
      continue;
    }
    if (draw.affinity == AffinityRegions::kLeftAlone) {
      if (auto refusal = RefuseAffinityRegion(context, *region)) {
        refusal->store = draw.store;
        decision.Refuse(*std::move(refusal));
        continue;
      }
    }
    auto refusal = refuse(*region);
    if (!refusal) return region;
    if (!refusal->store) refusal->store = draw.store;
    decision.Refuse(*std::move(refusal));
  }
  return {};
}

}  // namespace scheduler

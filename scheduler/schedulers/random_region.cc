#include "scheduler/schedulers/random_region.h"

namespace scheduler {

std::optional<Region> PickRegion(const PlanContext& context, const RegionDraw& draw, Rng& rng,
                                 Decision& decision, const RegionFilter& refuse) {
  constexpr int kDraws = 10;
  for (int i = 0; i < kDraws; ++i) {
    auto region = context.view.RandomRegion(draw.store, draw.held_as, draw.ranges, rng);
    if (!region) continue;
    if (draw.denied == DeniedRegions::kLeftAlone && context.IsScheduleDenied(*region)) {
      decision.Refuse({Reason::kRegionScheduleDenied, draw.store, region->id, 0, 0, {}});
      continue;
    }
    if (!refuse(*region)) return region;
  }
  return {};
}

}  // namespace scheduler

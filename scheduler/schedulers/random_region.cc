#include "scheduler/schedulers/random_region.h"

namespace scheduler {

std::optional<Region> PickRegion(const PlanContext& context, const RegionDraw& draw, Rng& rng,
                                 const RegionFilter& refuse) {
  constexpr int kDraws = 10;
  for (int i = 0; i < kDraws; ++i) {
    auto region = context.view.RandomRegion(draw.store, draw.held_as, draw.ranges, rng);
    if (region && !refuse(*region)) return region;
  }
  return {};
}

}  // namespace scheduler

#include "scheduler/schedulers/shuffle_hot_region.h"

namespace scheduler {

// Hot peers are not measured yet; until they are there is nothing to plan from.
Decision ShuffleHotRegion(const PlanContext&, const ShuffleHotRegionConfig&, Rng&) {
  Decision decision;
  decision.Refuse({Reason::kNoHotStatistics, StoreId{}, RegionId{}, 0, 0, {}});
  return decision;
}

}  // namespace scheduler

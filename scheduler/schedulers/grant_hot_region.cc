#include "scheduler/schedulers/grant_hot_region.h"

namespace scheduler {

// Hot peers are not measured yet; until they are there is nothing to plan from.
Decision GrantHotRegion(const PlanContext&, const GrantHotRegionConfig& config, Rng&) {
  Decision decision;
  decision.Refuse({Reason::kNoHotStatistics, config.leader_store, RegionId{}, 0, 0, {}});
  return decision;
}

}  // namespace scheduler

#pragma once

#include <functional>
#include <optional>
#include <span>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"

namespace scheduler {

/// Which regions to draw from. No ranges: the whole key space.
struct RegionDraw {
  StoreId store;
  HeldAs held_as = HeldAs::kFollower;
  std::span<const KeyRange> ranges;
};

using RegionFilter = std::function<std::optional<Refusal>(const Region&)>;

/// Draws up to ten random regions and returns the first that `refuse` lets pass (as in the reference); none otherwise.
std::optional<Region> PickRegion(const PlanContext& context, const RegionDraw& draw, Rng& rng,
                                 const RegionFilter& refuse);

}  // namespace scheduler

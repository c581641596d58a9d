#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Whether regions that are labelled `schedule=deny` are left out.
enum class DeniedRegions : uint8_t { kLeftAlone, kMoved };

/// Whether regions that their affinity group does not let be balanced are left out.
enum class AffinityRegions : uint8_t { kLeftAlone, kMoved };

/// Which regions to draw from. No ranges: the whole key space.
struct RegionDraw {
  StoreId store;
  HeldAs held_as = HeldAs::kFollower;
  std::span<const KeyRange> ranges;
  DeniedRegions denied = DeniedRegions::kLeftAlone;
  AffinityRegions affinity = AffinityRegions::kMoved;
};

/// What schedulers that even out draw from: neither a label nor an affinity group holds on to the region.
inline RegionDraw BalancedRegions(StoreId store, HeldAs held_as, std::span<const KeyRange> ranges) {
  return {store, held_as, ranges, DeniedRegions::kLeftAlone, AffinityRegions::kLeftAlone};
}

using RegionFilter = std::function<std::optional<Refusal>(const Region&)>;

/// So many regions are drawn before a store is given up.
inline constexpr int kDrawsMax = 10;

/// Draws up to ten random regions and returns the first that `refuse` lets pass (as in the reference); none otherwise.
/// Why others did not pass is noted in `decision`: nothing else would tell why a store keeps what it has.
std::optional<Region> PickRegion(const PlanContext& context, const RegionDraw& draw, Rng& rng,
                                 Decision& decision, const RegionFilter& refuse);

}  // namespace scheduler

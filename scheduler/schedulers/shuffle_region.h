#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// What a peer is to be for shuffle-region to move it.
enum class ShuffleRole : uint8_t { kLeader, kFollower, kLearner };

struct ShuffleRegionConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
  std::vector<ShuffleRole> roles{ShuffleRole::kLeader, ShuffleRole::kFollower,
                                 ShuffleRole::kLearner};
};

/// Moves a random peer of one of the roles from a random store to a random other one that may take it (as in the
/// reference): for tests, it never comes to rest. Rules, limits and space of the stores are respected. Kind admin,
/// priority low.
Decision ShuffleRegion(const PlanContext& context, const ShuffleRegionConfig& config, Rng& rng);

}  // namespace scheduler

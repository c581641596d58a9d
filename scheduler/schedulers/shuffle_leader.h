#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

struct ShuffleLeaderConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
};

/// Moves a random region's leader to a random store that follows it (as in the reference): for tests, it never comes to
/// rest. Kind admin, priority low: whatever else wants the region comes first.
Decision ShuffleLeader(const PlanContext& context, const ShuffleLeaderConfig& config, Rng& rng);

}  // namespace scheduler

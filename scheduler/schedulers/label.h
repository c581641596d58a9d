#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

struct LabelConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
};

/// Moves leaders away from stores whose labels say that they hold none (label property reject-leader), to followers
/// that may lead; up to four a run.
Decision MoveRejectedLeaders(const PlanContext& context, const LabelConfig& config, Rng& rng);

}  // namespace scheduler

#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

struct RandomMergeConfig {
  std::vector<KeyRange> ranges{KeyRange{}};
};

/// Merges a random region of a random store into one of its neighbours, whatever their sizes (as in the reference): for
/// tests, it goes on until one region is left. What keeps neighbours apart for good, and the settings of merging, are
/// respected. Priority low.
Decision RandomMerge(const PlanContext& context, const RandomMergeConfig& config, Rng& rng);

}  // namespace scheduler

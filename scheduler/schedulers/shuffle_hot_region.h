#pragma once

#include <cstdint>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Moves hot leaders to random stores: for tests.
struct ShuffleHotRegionConfig {
  uint64_t limit = 1;  // Operators at a time.
};

/// One move a run: the leader of a random hot region to a random store without a peer of it. Pure.
Decision ShuffleHotRegion(const PlanContext& context, const ShuffleHotRegionConfig& config,
                          Rng& rng);

}  // namespace scheduler

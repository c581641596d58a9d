#pragma once

#include <cstdint>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Moves hot leaders to random stores: for tests.
struct ShuffleHotRegionConfig {
  uint64_t limit = 1;  // Operators at a time.
};

Decision ShuffleHotRegion(const PlanContext& context, const ShuffleHotRegionConfig& config,
                          Rng& rng);

}  // namespace scheduler

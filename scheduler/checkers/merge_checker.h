#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Merges a region, which the caller has seen to be small (IsSmall, by the settings), into a neighbour (as in the
/// reference): into the next one, or unless merging is one-way into the previous one where that is smaller. Never soon
/// after either was split or while this server knows too little of the past to tell; never into a region that the
/// stores would then split again.
Decision CheckMerge(const PlanContext& context, const Region& region);

}  // namespace scheduler

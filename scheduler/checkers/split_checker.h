#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Splits a region at the bounds of label rules that lie inside it (as in the reference), since it has no labels until
/// then.
Decision CheckSplit(const PlanContext& context, const Region& region);

}  // namespace scheduler

#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Makes voters of the learners of a region where placement rules are off: nobody asks for learners then (as in the
/// reference). The first one that has its data wins.
Decision CheckLearners(const PlanContext& context, const Region& region);

}  // namespace scheduler

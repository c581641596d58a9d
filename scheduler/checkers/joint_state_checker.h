#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Leads a region out of a joint state that nobody is working on (as in the reference). When the leader is among those
/// being demoted it goes to another peer first, inside the joint state; with nobody to lead the region waits.
Decision CheckJointState(const PlanContext& context, const Region& region);

}  // namespace scheduler

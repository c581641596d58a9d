#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/operator.h"

namespace scheduler {

/// Walks through the steps and looks at every state on the way: do the peers that are alive (store connected, peer not
/// reported down) keep a majority, in a joint state both of the old and of the new voters? Returns the first step that
/// breaks it. Nothing to say when the region has no live majority now: it cannot be made worse then.
/// Cost O(steps * peers).
std::optional<Refusal> RefuseQuorumLoss(const PlanContext& context, const Region& region,
                                        const std::vector<Step>& steps);

}  // namespace scheduler

#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

struct TransferWitnessLeaderConfig {};

/// Moves the lead from witnesses, which serve nobody, to followers with data: up to three regions a run, urgent (as in
/// the reference). The reference notes such regions as they are reported, in a queue that may overflow; the view keeps
/// the set of them, so that none is forgotten and none that has passed is looked at.
Decision TransferWitnessLeader(const PlanContext& context, Rng& rng);

}  // namespace scheduler

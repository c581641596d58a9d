#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Peers that no rule needs (as in the reference): used in place of a peer that is lost for the moment, or whose store
/// leaves; otherwise removed when all else is well, and kept as a spare while it is not. All rule fits are looked at
/// for such a peer, so that an unfinished rule does not hide it.
void CheckOrphans(const PlanContext& context, const Region& region, const RegionFit& fit,
                  Decision& decision);

}  // namespace scheduler

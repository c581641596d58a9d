#pragma once

#include "scheduler/affinity/affinity_group.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Merges a region that is where its affinity group wants it into a neighbour of the same group that is so too, as
/// long as both together are at most max-affinity-merge-region-size and as many times 10,000 keys (as in the
/// reference): what is read together is in few pieces. Regions that have split lately and hot ones are merged as well;
/// what a merge has made rests for a minute, until its size is known, and nothing is merged in the first minute of this
/// server. The caller has seen that the region is in order.
///
/// Nothing where that setting, max-merge-region-size or merge-schedule-limit is 0, nor for a region that is large.
Decision CheckAffinityMerge(const PlanContext& context, const Region& region,
                            const AffinityGroups::value_type& group);

}  // namespace scheduler

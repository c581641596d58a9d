#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// What stands between two neighbours for good: `merge_option=deny` on one of them, a bound of placement or label rules
/// inside the joint range, or another table where only one table may be merged (as in the reference).
std::optional<Refusal> RefuseMerge(const PlanContext& context, const Region& region,
                                   const Region& neighbour);

/// Why a neighbour is not to take the region in now, whoever wants it: what RefuseMerge says, and that the neighbour is
/// ill, busy, not placed by its rules or about to move, or that a store of it could not take a peer of the region.
std::optional<Refusal> RefuseMergeTarget(const PlanContext& context, const Region& region,
                                         const Region& neighbour);

/// The neighbours that a region may go into: the next one, then the previous one unless merging is one-way (as in the
/// reference).
std::vector<Region> MergeCandidates(const PlanContext& context, const Region& region);

/// The smaller of those candidates that `refuse` lets pass, the first one of equals. What is refused is noted in
/// `decision`.
std::optional<Region> ChooseMergeTarget(
    std::vector<Region> candidates, Decision& decision,
    const std::function<std::optional<Refusal>(const Region&)>& refuse);

}  // namespace scheduler

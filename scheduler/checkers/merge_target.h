#pragma once

#include <functional>
#include <optional>

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

/// With `reason`, while less than `rest` has passed since something happened to a region; none if it has not happened.
std::optional<Refusal> RefuseSooner(const PlanContext& context, Reason reason, RegionId region,
                                    std::optional<Instant> happened, Millis rest);

/// The neighbour that a region goes into, of those that `refuse` lets pass: the next one, or unless merging is one-way
/// the previous one where that is smaller (as in the reference). What is refused is noted in `decision`.
std::optional<Region> ChooseMergeTarget(
    const PlanContext& context, const Region& region, Decision& decision,
    const std::function<std::optional<Refusal>(const Region&)>& refuse);

}  // namespace scheduler

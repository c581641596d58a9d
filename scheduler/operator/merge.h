#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"

namespace scheduler {

/// Two operators carry a merge out (as in the reference): that of the source first brings its peers to where those of
/// the target are and then tells its leader to merge; that of the target holds the target still until it shows the
/// joint range. They run together or not at all, and end together.
///
/// A proposal speaks of the source alone; what runs on the target follows from it: see TargetSide.

/// They share a key; an end of the key space is no key.
bool AreNeighbours(const Region& a, const Region& b);

/// Who wants a merge. People are not held back by rules and filters, and it is urgent.
enum class MergeWish : uint8_t { kOfChecker, kOfAffinity, kOfPerson };

/// `source` goes into `target`, whose range joins its own. kInvalidArgument with a text for people when a region is in
/// a joint state, they do not touch, or the source's peers cannot get there safely.
Result<Proposal> ProposeMerge(const PlanContext& context, MergeWish wish, std::string desc,
                              const Region& source, const Region& target);

/// What runs on the target while `proposal`, of a source, does; none unless it merges. It lasts as long.
std::optional<Proposal> TargetSide(const Proposal& proposal);

/// The other region of a merge, whichever side `proposal` is of; id 0 for anything else.
RegionId MergePartner(const Proposal& proposal);

/// A merge can no longer happen as planned since `region`, one of the two, has another range or, but for what a source
/// does on its way into the target, another version. Always false for anything but a merge.
bool IsMergeOvertaken(const Proposal& proposal, const Region& region);

}  // namespace scheduler

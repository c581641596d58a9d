#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scheduler/affinity/affinity_group.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// What a look at a region tells of its group. It holds only as long as the group has the stores that it had then.
struct AffinityFinding {
  std::string group;
  uint64_t assignment = 0;  // Of the group's stores when the region was looked at.
  bool expires = false;  // These do not go with the placement rules: the group has to do without.
  std::optional<AffinityStores> template_stores;  // The region's own, for the group to take over.

  friend bool operator==(const AffinityFinding&, const AffinityFinding&) = default;
};

struct AffinityCheck {
  Decision decision;
  std::optional<AffinityFinding> finding;
};

/// Moves a region to the stores of its affinity group (as in the reference), where the rules have nothing to repair or
/// to improve, as long as all these stores are well. A group without stores, or whose stores have expired, learns them
/// from the first such region whose own stores are well; the region waits for the next look then. A group whose stores
/// would break a region's rules, or leave it worse located than need be, expires: the rules have changed under it.
///
/// A region that is where it belongs may be merged with such a neighbour, see CheckAffinityMerge. Cost: that of a fit
/// or two, and of a walk over the stores where rules have location labels.
AffinityCheck CheckAffinity(const PlanContext& context, const Region& region);

}  // namespace scheduler

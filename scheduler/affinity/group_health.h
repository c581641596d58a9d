#pragma once

#include <optional>

#include "scheduler/affinity/affinity_group.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"

namespace scheduler {

/// What is wrong with a store of a group, and how far it takes the group down: to kDegraded or to kExpired.
struct StoreTrouble {
  Availability leads_to = Availability::kDegraded;
  Refusal why;
};

/// The worst trouble among the stores, none if all is well (as in the reference). Expired: a store that is unknown,
/// removed, destroyed or being removed, or has been silent for ten minutes. Degraded: one that is disconnected, still
/// preparing or low on space, and a leader's store that takes no leaders now. The silence of a store of which this
/// server has not heard yet says little about it: that one is disconnected. O(voters * log stores).
[[nodiscard]] std::optional<StoreTrouble> WorstTrouble(const PlanContext& context,
                                                       const AffinityStores& stores);

/// A degraded group expires after this time.
inline constexpr Millis kDegradedMax = Seconds{600};

/// How a group is doing, from one look at its stores to the next.
struct GroupHealth {
  Availability availability = Availability::kAvailable;
  Instant degraded_since;  // While it is degraded.

  friend bool operator==(const GroupHealth&, const GroupHealth&) = default;
};

/// After a look at the stores of a group that has some. A degraded group recovers with its stores, until its time is
/// over, which no further trouble puts off; an expired one never does.
[[nodiscard]] GroupHealth AfterLook(const GroupHealth& before,
                                    const std::optional<StoreTrouble>& trouble, Instant now);

}  // namespace scheduler

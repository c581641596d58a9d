#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Repairs one region where placement rules are off and `max-replicas`, `location-labels` and `isolation-level` say
/// what it needs (as in the reference): lost peers, peers on stores that leave, missing peers, peers too many, a better
/// location; each as far as its setting is on (`enable-remove-down-replica` and so on). The first proposal wins.
///
/// Where there are voters too many, one in bad health goes before a good one, and a good one only when enough others
/// are good. A store that PD does not know is left alone. Cost O(stores * peers * labels) a region that needs
/// something, O(peers^2 * labels) one that does not.
Decision CheckReplicas(const PlanContext& context, const Region& region);

}  // namespace scheduler

#pragma once

#include <optional>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Repairs one region against its placement rules (as in the reference): orphan peers, then for each rule missing
/// peers, down peers, peers on stores that leave, peers of the wrong role, and a better location. The first proposal
/// wins. Cost O(stores * peers * labels) a region that needs something, O(peers^2 * labels) one that does not.
///
/// With witnesses, a lost peer is first replaced by one, which is quick and urgent and gets its data later; while a
/// peer is down for the moment, a witness gets data; and for switch-witness-interval after `data_returned`, when a
/// witness of the region last got its data back, none is made of a peer that has data.
Decision CheckRules(const PlanContext& context, const Region& region,
                    std::optional<Instant> data_returned = {});

/// Whether a peer of the region would be better located on another store, by the same test as the repair; also when
/// that store cannot take it at this moment. `fit` is the region's.
bool HasBetterLocation(const PlanContext& context, const Region& region, const RegionFit& fit);

}  // namespace scheduler

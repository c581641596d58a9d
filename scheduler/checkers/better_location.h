#pragma once

#include <optional>
#include <span>

#include "scheduler/checkers/store_selector.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// A peer that would be better located elsewhere.
struct BetterLocation {
  StoreId from;
  Selection selection;  // A store, or one that cannot take the peer now.
};

/// The worst located peer of the rule, one of those on `stores`, if a store lies strictly better. None while a peer of
/// the region is down. Cost O(stores * peers * labels), O(peers^2 * labels) where all lie as far apart as can be.
std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const Rule& rule,
                                                 std::span<const Store* const> stores);

/// Moves the worst located peer of the rule, one of those on `stores`, to a store that lies strictly better, if there
/// is one (as in the reference). Nothing while a peer of the region is down. Cost O(stores * peers * labels).
void MoveToBetterLocation(const PlanContext& context, const Region& region, const Rule& rule,
                          std::span<const Store* const> stores, Decision& decision);

}  // namespace scheduler

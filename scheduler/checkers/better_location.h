#pragma once

#include <optional>
#include <span>
#include <vector>

#include "scheduler/checkers/store_selector.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// A peer that would be better located elsewhere.
struct BetterLocation {
  StoreId from;
  Selection selection;  // A store, or one that cannot take the peer now.
  /// Why none of the stores that lie as badly can give its peer away now; empty: `from` can.
  std::vector<Refusal> held;
};

/// The worst located peer of the rule, one of those on `stores`, if a store lies strictly better; of several the one on
/// the fullest store that can give a peer away now. None while a peer of the region is down. (The reference then takes
/// one that lies better: it moves, and the worst one after it, where one move would have done.) Cost
/// O(stores * peers * labels), O(peers^2 * labels) where all lie as far apart as can be.
std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const Rule& rule,
                                                 std::span<const Store* const> stores);

/// Moves the worst located peer of the rule, one of those on `stores`, to a store that lies strictly better, if there
/// is one (as in the reference). Nothing while a peer of the region is down. Cost O(stores * peers * labels).
void MoveToBetterLocation(const PlanContext& context, const Region& region, const Rule& rule,
                          std::span<const Store* const> stores, Decision& decision);

}  // namespace scheduler

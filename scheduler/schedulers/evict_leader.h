#pragma once

#include <map>
#include <span>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {

using StoreRanges = std::map<StoreId, std::vector<KeyRange>>;

/// A slow store stays evicted no longer than ten years after it has become fast: what is set beyond counts as that.
inline constexpr uint64_t kRecoveryMaxS = uint64_t{10} * 365 * 24 * 3600;

struct EvictLeaderConfig {
  StoreRanges stores;
  uint64_t batch = 3;  // Proposals a run, 1..100.
};

struct GrantLeaderConfig {
  StoreRanges stores;
};

/// Who wants leaders to go, and how badly.
struct EvictionWish {
  const char* desc;  // Of the operators.
  DeniedRegions denied = DeniedRegions::kLeftAlone;
  Priority priority = Priority::kUrgent;
};

/// Moves leaders away from the configured stores (as in the reference): to a follower's store that takes leaders, of
/// several to the one with the fewest (to any of them in the reference), with all of them named so that the region may
/// choose. Urgent: nothing else comes first. What a person asks for moves
/// denied regions too (as in the reference).
Decision EvictLeader(const PlanContext& context, const EvictLeaderConfig& config,
                     const EvictionWish& wish, Rng& rng);
/// The same of whole stores.
Decision EvictStores(const PlanContext& context, std::span<const StoreId> stores, uint64_t batch,
                     const EvictionWish& wish, Rng& rng);

/// Moves leaders to the configured stores, whatever their labels say.
Decision GrantLeader(const PlanContext& context, const GrantLeaderConfig& config, Rng& rng);

}  // namespace scheduler

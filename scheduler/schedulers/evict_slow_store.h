#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Moves leaders away from a store that is slow: by its disk, as it reports itself, and, if it is turned on, by its
/// network.
struct EvictSlowStoreConfig {
  uint64_t recovery_duration_s = 1800;  // No more than kRecoveryMaxS counts.
  bool network_slow_store = false;
  uint64_t batch = 3;
  // What was found. It lasts, so that the next PD leader goes on with it.
  std::vector<StoreId> evicted;          // Slow by its disk; one at most.
  std::vector<StoreId> network_paused;   // Slow on the network, takes no leaders; one at most.
  std::vector<StoreId> network_evicted;  // The same, and gives leaders up.

  friend bool operator==(const EvictSlowStoreConfig&, const EvictSlowStoreConfig&) = default;
};

/// What evict-slow-store remembers while this PD leader leads.
struct SlowStoreMemory {
  std::optional<Instant> fine_since;  // The disk of the evicted store.
  /// Stores known to be slow on the network, paused or not, and since when each is fine again.
  std::map<StoreId, std::optional<Instant>> network;
};

/// Evicts the leaders of a store whose slow score reached 100 while no other up store is slow, until its score has been
/// 1 for the recovery duration; and those of a store that has been slow on the network for so many of its heartbeats,
/// see network_slow_store.h. Notes in `config` which these are.
Decision EvictSlowStore(const PlanContext& context, EvictSlowStoreConfig& config,
                        SlowStoreMemory& memory, Rng& rng);

}  // namespace scheduler

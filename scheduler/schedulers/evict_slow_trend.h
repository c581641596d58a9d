#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Moves leaders away from a store that is becoming slower than the others.
struct EvictSlowTrendConfig {
  uint64_t recovery_duration_s = 1800;  // No more than kRecoveryMaxS counts.
  std::vector<StoreId> evicted;         // What was found; one at most. It lasts.

  friend bool operator==(const EvictSlowTrendConfig&, const EvictSlowTrendConfig&) = default;
};

/// What evict-slow-trend remembers while this PD leader leads.
struct SlowTrendMemory {
  struct Capture {
    StoreId store;
    Instant at;
  };
  std::optional<Capture> candidate;   // Seen once, and looked at again.
  std::optional<Capture> last;        // The latest one, whatever became of it.
  std::optional<Instant> evicted_at;  // Or since when this PD leader knows of it.
};

/// Evicts the leaders of a store by its slow trend (as in the reference). A store is a candidate when its cause (the
/// time that its requests take) grows and its result (what it gets done) falls, and no other's does both; when as many
/// stores get less done as slow-store-evicting-affected-store-ratio-threshold wants; and when its cause exceeds that of
/// two thirds of the others. It is looked at again once most stores have been heard since, and is let off if it is no
/// slower than half of them, within a tenth. The evicted one is let go after the recovery duration, as soon as it is no
/// slower than half of the stores. Notes in `config` which it is. At least three stores are needed.
Decision EvictSlowTrend(const PlanContext& context, EvictSlowTrendConfig& config,
                        SlowTrendMemory& memory, Rng& rng);

}  // namespace scheduler

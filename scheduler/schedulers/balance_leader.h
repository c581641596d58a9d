#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/balance_memory.h"

namespace scheduler {

struct BalanceLeaderConfig {
  std::vector<KeyRange> ranges{KeyRange{}};  // Empty keys: the whole key space.
  uint64_t batch = 4;                        // Proposals a run, 1..100.
};

/// Evens out leaders (as in the reference): from the store with the highest leader score, then to the one with the
/// lowest, in turn, until the batch is full or no store has a try left. Pure: the same view, config, quota and
/// random numbers give the same decision.
Decision BalanceLeader(const PlanContext& context, const BalanceLeaderConfig& config,
                       BalanceMemory& memory, Rng& rng);

}  // namespace scheduler

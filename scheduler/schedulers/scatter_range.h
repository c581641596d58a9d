#pragma once

#include <cstdint>
#include <string>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/balance_memory.h"

namespace scheduler {

/// Evens out the leaders and regions of one key range, as if the cluster held nothing else.
struct ScatterRangeConfig {
  std::string range_name;  // Of this scheduler: it is called scatter-range-scheduler-<range_name>.
  KeyRange range;
};

struct ScatterRangeMemory {
  BalanceMemory leaders;
  BalanceMemory regions;
};

/// balance-leader, and where that finds nothing balance-region, on what lies in the range, with a tolerance ratio of 2
/// (as in the reference). `running`: operators of kind range under way, which count against both schedule limits.
///
/// The reference copies the regions of the range into a cluster of its own. Here the counts of stores are asked of the
/// index; the size that a store has of the range is taken as its count times the average region size, and its used and
/// free space as the part that falls to that.
Decision ScatterRange(const PlanContext& context, const ScatterRangeConfig& config,
                      ScatterRangeMemory& memory, uint64_t running, Rng& rng);

}  // namespace scheduler

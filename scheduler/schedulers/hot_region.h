#pragma once

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/hot_region_config.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace scheduler {

/// Evens out the loads that hot regions put on stores (as in the reference): moves leaders and peers that are read or
/// written much, one plan a run. Loads have up to four dimensions; of each task two count, in the order of the
/// priorities. Where a move helps in one and harms in the other, two peers may change places.
/// Where buckets are reported, a region that is a large part of its store's load is split instead.
///
/// Loads show what was moved only later, so moves are remembered and counted until then: each with what it moves, in
/// its own direction.
///
/// Unlike the reference it does not draw lots for what to look at: a run looks at written peers, written leaders and
/// reads in turn until one yields something. A run that comes back empty has looked at all.
Decision BalanceHotRegion(const PlanContext& context, const HotRegionConfig& config,
                          HotRegionMemory& memory);

}  // namespace scheduler

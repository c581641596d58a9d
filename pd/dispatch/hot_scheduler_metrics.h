#pragma once

#include "pd/metrics/metrics.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace pd {

/// What came of a run of balance-hot-region at `now`, under the reference's names:
///   pd_scheduler_hot_region            stores that were refused as source or target, by reason, and those chosen
///   pd_scheduler_hot_region_direction  moves that are done, by store, in and out
///   pd_scheduler_hot_peer              the loads of the peers chosen
///   pd_scheduler_hot_pending_sum       what is counted on that the loads of the stores do not show yet
///   pd_scheduler_hot_peers_summary     means and deviations of loads, and of the numbers of hot peers, by task; the
///                                      `store` is an engine
void NoteHotRun(const scheduler::HotRegionMemory& memory, const scheduler::Decision& decision,
                scheduler::Instant now, MetricsRegistry& registry);
/// Nothing is counted on by a member that does not lead.
void WithdrawHotRuns(MetricsRegistry& registry);

}  // namespace pd

#pragma once

#include <functional>
#include <string>

#include "pd/dispatch/scheduler_table.h"
#include "pd/metrics/metrics.h"

namespace pd {

/// Schedulers as metrics: which may run (pd_scheduler_status), the stores that they evict
/// (pd_scheduler_evicted_slow_store_status, _evicted_stopping_store_status, _store_slow_trend_evicted_status) and the
/// job that runs (pd_balance_range_job). What is no longer so is no longer shown. Cheap.
void PublishSchedulers(MetricsRegistry& metrics, const SchedulerTable& table,
                       const std::function<std::string(scheduler::StoreId)>& address_of);
/// What came of a run of evict-slow-trend that went from one memory to the other, under the reference's names:
///   pd_scheduler_store_slow_trend_action_status  how often a candidate was captured or dropped ("candidate"), a store
///                                                evicted or let go ("evict")
///   pd_scheduler_store_slow_trend_misc           for how many seconds there has been a candidate, or an evicted store
void NoteSlowTrendRun(const scheduler::SlowTrendMemory& before,
                      const scheduler::SlowTrendMemory& after, bool evicted_before,
                      scheduler::Instant now, MetricsRegistry& metrics);

/// What each store has, and is to have, in the job of balance-range that runs, if any (pd_balance_range_store). Takes
/// what a run of that scheduler does.
void PublishRangeJob(const scheduler::PlanContext& context,
                     const scheduler::SchedulerConfig& config, MetricsRegistry& metrics);

/// None of what is shown of now holds on a member that does not lead.
void WithdrawSchedulers(MetricsRegistry& metrics);

}  // namespace pd

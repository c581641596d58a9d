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
/// None of what is shown of now holds on a member that does not lead.
void WithdrawSchedulers(MetricsRegistry& metrics);

}  // namespace pd

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pd/dispatch/scheduler_table.h"
#include "pd/metrics/metrics.h"

namespace pd {

/// What the running schedulers have found, as metrics: the stores that they evict
/// (pd_scheduler_evicted_slow_store_status, _evicted_stopping_store_status, _store_slow_trend_evicted_status) and the
/// job that runs (pd_balance_range_job). What is no longer so is no longer shown. Cheap.
void PublishFindings(MetricsRegistry& metrics, const std::vector<SchedulerTable::Entry>& running,
                     const std::function<std::string(scheduler::StoreId)>& address_of);

}  // namespace pd

#pragma once

#include "pd/cluster/store_config.h"
#include "pd/config/config_store.h"
#include "scheduler/filters/options.h"
#include "scheduler/operator/command.h"

namespace pd {

/// The part of the configuration, and of that of the stores, that planning reads. Pure.
scheduler::ScheduleOptions MakeScheduleOptions(const OnlineConfig& config,
                                               const StoreConfig& stores);

/// Whether stores of this cluster version know joint consensus (5.0.0 and later).
scheduler::ConfChange ConfChangeOf(const OnlineConfig& config);

}  // namespace pd

#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pd/result.h"
#include "scheduler/schedulers/registry.h"

namespace pd {

/// The settings of a scheduler as JSON: what is kept under /pd/{cid}/scheduler_config/{name} and shown by
/// GET /scheduler-config/{name}/list (as in the reference). Keys of ranges are lower-case hexadecimal.
nlohmann::ordered_json SchedulerConfigToJson(const scheduler::SchedulerConfig& config,
                                             bool disabled);

/// Reads settings of `type` over its defaults; unknown members are ignored. kCorrupt when it is no such JSON.
struct StoredScheduler {
  scheduler::SchedulerConfig config;
  bool disabled = false;
};
Result<StoredScheduler> SchedulerConfigFromJson(const scheduler::SchedulerType& type,
                                                std::string_view json);

}  // namespace pd

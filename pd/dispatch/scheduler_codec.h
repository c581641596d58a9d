#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pd/result.h"
#include "scheduler/schedulers/registry.h"

namespace pd {

/// The settings of a scheduler as JSON: what GET /scheduler-config/{name}/list shows (as in the reference). Keys of
/// ranges are lower-case hexadecimal.
nlohmann::ordered_json SchedulerConfigToJson(const scheduler::SchedulerConfig& config,
                                             bool disabled);
/// What is kept of them under /pd/{cid}/scheduler_config/{name}: the same but for shuffle-region, which shows its roles
/// only, and scatter-range, which keeps its keys whatever bytes they have.
std::string StoredSchedulerText(const scheduler::SchedulerConfig& config, bool disabled);

/// ["leader","follower","learner"], some of them. kInvalidArgument `invalid role:x`.
nlohmann::ordered_json RolesToJson(const std::vector<scheduler::ShuffleRole>& roles);
Result<std::vector<scheduler::ShuffleRole>> RolesFromJson(const nlohmann::ordered_json& list);

/// Reads settings of `type` over its defaults; unknown members are ignored. kCorrupt when it is no such JSON.
struct StoredScheduler {
  scheduler::SchedulerConfig config;
  bool disabled = false;
};
Result<StoredScheduler> SchedulerConfigFromJson(const scheduler::SchedulerType& type,
                                                std::string_view json);

}  // namespace pd

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "pd/config/config_store.h"
#include "scheduler/model/store.h"

namespace api {

/// `Up`, `Disconnected`, `Down`, `Offline`, `Tombstone` (as in the reference).
[[nodiscard]] std::string StateName(const scheduler::Store& store, int64_t now_unix_ns,
                                    pd::Nanos max_down_time);

/// The reference's StoreInfo.
[[nodiscard]] nlohmann::ordered_json StoreJson(const scheduler::Store& store,
                                               const pd::OnlineConfig& config, int64_t now_unix_ns);

/// StoresInfo.
[[nodiscard]] nlohmann::ordered_json StoresJson(const std::vector<scheduler::Store>& stores,
                                                const pd::OnlineConfig& config,
                                                int64_t now_unix_ns);

/// RFC 3339 with up to nine fraction digits, in the local zone.
[[nodiscard]] std::string TimeText(int64_t unix_ns);

}  // namespace api

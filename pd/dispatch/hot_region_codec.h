#pragma once

#include <nlohmann/json.hpp>

#include "pd/result.h"
#include "scheduler/schedulers/hot_region_config.h"

namespace pd {

/// The settings of balance-hot-region as HTTP shows and storage keeps them.
nlohmann::ordered_json HotRegionConfigToJson(const scheduler::HotRegionConfig& config);

/// What became of the members of a JSON object that name settings.
enum class HotRegionChange : uint8_t { kNoneNamed, kSame, kChanged };

/// Reads the members that name settings over `config` and checks them. Errors, with the reference's texts: kCorrupt for
/// a value of the wrong kind, kInvalidArgument for one that makes no sense. `config` is then half changed.
Result<HotRegionChange> ReadHotRegionConfig(const nlohmann::ordered_json& json,
                                            scheduler::HotRegionConfig& config);
/// The same of what was stored, one by one over `config`, which is valid: one that makes no sense, as a newer version
/// may have left it, keeps the value it has there and is logged.
void ReadStoredHotRegionConfig(const nlohmann::ordered_json& json,
                               scheduler::HotRegionConfig& config);

}  // namespace pd

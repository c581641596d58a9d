#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "scheduler/model/region.h"

namespace api {

/// RegionInfo of http-json.md 5.
[[nodiscard]] nlohmann::ordered_json RegionJson(const scheduler::Region& region);
/// RegionsInfo.
[[nodiscard]] nlohmann::ordered_json RegionsJson(const std::vector<scheduler::Region>& regions);

/// Upper-case hex, as keys are shown.
[[nodiscard]] std::string HexKey(std::string_view key);
/// Hex of either case; the error is Go's text: `encoding/hex: invalid byte: U+0058 'X'`.
[[nodiscard]] tl::expected<std::string, std::string> ParseHexKey(std::string_view hex);

}  // namespace api

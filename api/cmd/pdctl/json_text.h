#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace api::pdctl {

using Json = nlohmann::ordered_json;  // Keeps the order of the server's keys.
using SortedJson = nlohmann::json;    // Sorts them, as maps are written by the reference tool.

/// JSON as the reference tool writes it: `1` for 1.0, <, > and & escaped, no line break at the end.
/// `indent` 0 is compact.
std::string JsonText(const Json& value, int indent);
std::string JsonText(const SortedJson& value, int indent);

}  // namespace api::pdctl

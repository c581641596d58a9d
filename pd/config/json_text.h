#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace pd {

/// Compact JSON as the reference's encoder writes it: floats in their shortest form, with an exponent only below 1e-6
/// and from 1e21 on. The texts are stored, and other tools compare them.
std::string DumpCompact(const nlohmann::ordered_json& json);

}  // namespace pd

#include "pd/config/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace pd {
namespace {

std::string FloatText(double value) {
  std::array<char, 64> text{};
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  const auto format = exponent ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format).ptr;
  std::string out(text.data(), end);
  if (exponent && out[out.size() - 2] == '0') out.erase(out.size() - 2, 1);  // "1e-07" to "1e-7".
  return out;
}

std::string Scalar(const nlohmann::ordered_json& json) {
  if (json.is_number_float()) return FloatText(json.get<double>());
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string DumpCompact(const nlohmann::ordered_json& json) {
  if (!json.is_structured()) return Scalar(json);
  std::string out(1, json.is_object() ? '{' : '[');
  for (const auto& [key, value] : json.items()) {
    if (out.size() > 1) out += ',';
    if (json.is_object()) out += Scalar(nlohmann::ordered_json(key)) + ":";
    out += DumpCompact(value);
  }
  out += json.is_object() ? '}' : ']';
  return out;
}

}  // namespace pd

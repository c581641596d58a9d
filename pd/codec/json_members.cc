#include "pd/codec/json_members.h"

#include <fmt/format.h>

#include "scheduler/model/hex.h"

namespace pd {

const char* JsonKind(const nlohmann::ordered_json& json) {
  if (json.is_object()) return "object";
  if (json.is_array()) return "array";
  if (json.is_string()) return "string";
  if (json.is_boolean()) return "bool";
  return json.is_null() ? "null" : "number";
}

Result<std::string> BytesOfHex(const std::string& digits) {
  if (auto bytes = scheduler::FromHex(digits)) return *std::move(bytes);
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("[PD:hex:ErrHexDecodingString]decode string {} error", digits));
}

tl::expected<std::string, size_t> BytesOfBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr size_t kGroup = 4;  // Digits for three bytes.
  std::string bytes;
  uint32_t bits = 0;
  size_t digits = 0;  // Of the group at hand, and how many of them only fill it up.
  size_t fill = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' || c == '\r') continue;
    const size_t value = c == '=' ? 0 : kDigits.find(c);
    const bool fills = c == '=' && digits >= 2;
    const bool ended = fill > 0 && (!fills || digits == 0);
    if (value == std::string_view::npos || (c == '=' && !fills) || ended) {
      return tl::unexpected(at);
    }
    bits = bits << 6U | static_cast<uint32_t>(value);
    fill += fills ? 1 : 0;
    if (++digits < kGroup) continue;
    for (size_t i = 0; i + fill < kGroup - 1; ++i) {
      bytes.push_back(static_cast<char>(bits >> (16U - 8U * i) & 0xffU));
    }
    digits = 0;
    bits = 0;
  }
  if (digits > 0) return tl::unexpected(text.size());
  return bytes;
}

std::string JsonFault::Field() const {
  std::string field;
  for (const std::string& member : members) {
    if (member.find_first_not_of("0123456789") == std::string::npos) continue;
    if (!field.empty()) field += '.';
    field += member;
  }
  return field;
}

std::string JsonFault::Text() const {
  if (!words.empty()) return words;
  const std::string field = Field();
  if (field.empty())
    return fmt::format("json: cannot unmarshal {} into Go value of type {}", value, type);
  return fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", value,
                     structure, field, type);
}

}  // namespace pd

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
  const std::string field = Field();
  if (field.empty())
    return fmt::format("json: cannot unmarshal {} into Go value of type {}", value, type);
  return fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", value,
                     structure, field, type);
}

}  // namespace pd

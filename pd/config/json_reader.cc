#include "pd/config/json_reader.h"

#include <fmt/format.h>

namespace pd {
namespace {

using Json = nlohmann::json;

/// The decoder's word for a value; numbers that do not fit come with their digits.
std::string Describe(const Json& json, bool with_digits) {
  if (json.is_string()) return "string";
  if (json.is_boolean()) return "bool";
  if (json.is_array()) return "array";
  if (json.is_object()) return "object";
  if (!with_digits) return "number";
  return "number " + json.dump();
}

std::vector<std::string> SplitComma(const std::string& text) {
  std::vector<std::string> items;
  size_t from = 0;
  while (from < text.size()) {
    const size_t comma = std::min(text.find(',', from), text.size());
    items.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return items;
}

}  // namespace

Result<Json> ParseJson(std::string_view text) {
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "invalid JSON");
  return parsed;
}

void JsonReader::Mismatch(const Json& json, const std::string& type) {
  const bool number_type = type.starts_with("int") || type.starts_with("uint");
  Fails(fmt::format("json: cannot unmarshal {} into Go struct field {}.{}{} of type {}",
                    Describe(json, number_type), type_name_, path_, name_, type));
}

void JsonReader::CommaList(FieldName name, std::vector<std::string>& list) {
  std::string text;
  const auto found = object_.find(name.json);
  known_.insert(name.json);
  if (error_ || found == object_.end() || found->is_null()) return;
  if (!found->is_string()) return Fails("invalid syntax");
  list = SplitComma(found->get<std::string>());
}

void JsonReader::Take(const Json& json, std::string& value) {
  if (!json.is_string()) return Mismatch(json, "string");
  value = json.get<std::string>();
}

void JsonReader::Take(const Json& json, bool& value) {
  if (!json.is_boolean()) return Mismatch(json, "bool");
  value = json.get<bool>();
}

void JsonReader::Take(const Json& json, TextBool& value) {
  static constexpr std::string_view kTrouble =
      "json: invalid use of ,string struct tag, trying to unmarshal ";
  if (!json.is_string()) return Fails(fmt::format("{}unquoted value into bool", kTrouble));
  const auto text = json.get<std::string>();
  if (text != "true" && text != "false") {
    return Fails(fmt::format("{}{} into bool", kTrouble, json.dump()));
  }
  value = text == "true";
}

void JsonReader::Take(const Json& json, int64_t& value) {
  const bool too_big =
      json.is_number_unsigned() &&
      json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!json.is_number_integer() || too_big) return Mismatch(json, "int64");
  value = json.get<int64_t>();
}

void JsonReader::Take(const Json& json, uint64_t& value) {
  if (!json.is_number_unsigned()) return Mismatch(json, "uint64");
  value = json.get<uint64_t>();
}

void JsonReader::Take(const Json& json, double& value) {
  if (!json.is_number()) return Mismatch(json, "float64");
  value = json.get<double>();
}

void JsonReader::Take(const Json& json, Nanos& value) {
  if (!json.is_string()) return Fails("invalid syntax");
  const auto parsed = ParseDuration(json.get<std::string>());
  if (!parsed) return Fails(parsed.error().context);
  value = *parsed;
}

void JsonReader::Take(const Json& json, ByteSize& value) {
  if (!json.is_string()) return Fails("invalid syntax");
  const auto parsed = ParseByteSize(json.get<std::string>());
  if (!parsed) return Fails(parsed.error().context);
  value = *parsed;
}

void JsonReader::Take(const Json& json, Redaction& value) {
  if (json.is_boolean()) {
    value = json.get<bool>() ? Redaction::kOn : Redaction::kOff;
  } else if (json.is_string() && json.get<std::string>() == "MARKER") {
    value = Redaction::kMarker;
  } else {
    Fails("invalid value for redact-info-log: " + json.dump());
  }
}

void JsonReader::Take(const Json& json, std::vector<std::string>& value) {
  if (!json.is_array()) return Mismatch(json, "[]string");
  std::vector<std::string> fresh(json.size());
  for (size_t i = 0; i < json.size() && !error_; ++i) Take(json[i], fresh[i]);
  if (!error_) value = std::move(fresh);
}

void JsonReader::Take(const Json& json, std::map<uint64_t, StoreLimitConfig>& value) {
  if (!json.is_object()) return Mismatch(json, "map[uint64]config.StoreLimitConfig");
  std::map<uint64_t, StoreLimitConfig> fresh;
  for (const auto& [key, limit] : json.items()) {
    uint64_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc{} || end != key.data() + key.size()) {
      return Fails(fmt::format(
          "json: cannot unmarshal number {} into Go struct field {}.{}{} of type uint64", key,
          type_name_, path_, name_));
    }
    if (!error_) Take(limit, fresh[id]);
  }
  if (!error_) value = std::move(fresh);
}

}  // namespace pd

#include "api/http/body.h"

#include <cmath>

#include <fmt/format.h>

#include "pd/codec/json_members.h"

namespace api {
std::string NotAnObjectText(const nlohmann::ordered_json& value) {
  return fmt::format("json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                     pd::JsonKind(value));
}

tl::expected<nlohmann::ordered_json, HttpResponse> ReadObject(const HttpRequest& request) {
  auto parsed = ParseJson(request.body);
  if (!parsed) {
    return tl::unexpected(InputError(parsed.error().text, {{"Offset", parsed.error().offset}}));
  }
  if (parsed->is_null()) return nlohmann::ordered_json::object();
  if (parsed->is_object()) return std::move(*parsed);
  return tl::unexpected(
      InputError(NotAnObjectText(*parsed), {{"Value", pd::JsonKind(*parsed)},
                                            {"Type", nlohmann::ordered_json::object()},
                                            {"Offset", 1},
                                            {"Struct", ""},
                                            {"Field", ""}}));
}

std::optional<uint64_t> IdOf(const nlohmann::ordered_json& value) {
  constexpr double kTooLarge = 18446744073709551616.0;  // 2^64
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (!value.is_number()) return {};
  const auto number = value.get<double>();
  if (!(number >= 0 && number < kTooLarge) || std::floor(number) != number) return {};
  return static_cast<uint64_t>(number);
}

std::optional<std::string> StringIn(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace api

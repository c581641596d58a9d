#include "api/http/body.h"

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

std::optional<std::string> StringIn(const nlohmann::ordered_json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

}  // namespace api

#pragma once

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "api/http/json.h"
#include "api/http/request.h"
#include "api/http/response.h"

namespace api {

/// The request's body as JSON, or the answer to give: 400 with the decoder's words (as in the reference).
[[nodiscard]] inline tl::expected<nlohmann::ordered_json, HttpResponse> ReadBody(
    const HttpRequest& request) {
  auto parsed = ParseJson(request.body);
  if (parsed) return std::move(*parsed);
  return tl::unexpected<HttpResponse>(
      InputError(parsed.error().text, {{"Offset", parsed.error().offset}}));
}

/// A body value of a kind that the field does not take: what Go's decoder says.
[[nodiscard]] inline HttpResponse TypeError(std::string_view found, std::string_view wanted,
                                            size_t offset) {
  return InputError("json: cannot unmarshal " + std::string(found) + " into Go value of type " +
                        std::string(wanted),
                    {{"Value", found},
                     {"Type", nlohmann::ordered_json::object()},
                     {"Offset", offset},
                     {"Struct", ""},
                     {"Field", ""}});
}

/// What Go's decoder calls a JSON value.
[[nodiscard]] inline const char* JsonKind(const nlohmann::ordered_json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_number()) return "number";
  return value.is_boolean() ? "bool" : "null";
}

}  // namespace api

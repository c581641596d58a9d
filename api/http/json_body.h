#pragma once

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "api/http/json.h"
#include "api/http/request.h"
#include "api/http/response.h"
#include "pd/codec/json_members.h"

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

/// What Go's decoder says of a member of the wrong kind in the request's body.
[[nodiscard]] inline HttpResponse FaultResponse(const pd::JsonFault& fault,
                                                const HttpRequest& request) {
  const std::string field = fault.Field();
  return InputError(fault.Text(), {{"Value", fault.value},
                                   {"Type", nlohmann::ordered_json::object()},
                                   {"Offset", DecoderStop(request.body, fault.members)},
                                   {"Struct", field.empty() ? "" : fault.structure},
                                   {"Field", field}});
}

/// The body as a struct, or the answer to give.
template <class T>
[[nodiscard]] tl::expected<T, HttpResponse> ReadAs(
    const HttpRequest& request, pd::JsonResult<T> (*read)(const nlohmann::ordered_json&)) {
  const auto body = ReadBody(request);
  if (!body) return tl::unexpected(body.error());
  auto value = read(*body);
  if (!value) return tl::unexpected(FaultResponse(value.error(), request));
  return *std::move(value);
}

}  // namespace api

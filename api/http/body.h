#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "api/http/request.h"
#include "api/http/response.h"

namespace api {

/// The body as a JSON object, as the reference's shared reader takes it. The error is the answer to give: 400 and the
/// input error object with the decoder's words (as in the reference).
[[nodiscard]] tl::expected<nlohmann::ordered_json, HttpResponse> ReadObject(
    const HttpRequest& request);

/// The decoder's text for a value where an object was wanted: "json: cannot unmarshal array into Go value of type ...".
[[nodiscard]] std::string NotAnObjectText(const nlohmann::ordered_json& value);

/// The id that a JSON value is: a whole number within the range of ids, however it is written. Nothing else is one.
[[nodiscard]] std::optional<uint64_t> IdOf(const nlohmann::ordered_json& value);

/// The string under `key`, or nothing.
[[nodiscard]] std::optional<std::string> StringIn(const nlohmann::ordered_json& object,
                                                  const char* key);

}  // namespace api

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace api {

/// Writes JSON as the reference's encoder does: `<`, `>`, `&`, U+2028 and U+2029 escaped, broken
/// UTF-8 as U+FFFD, floats in their shortest form (`1`, `0.5`, `1e-7`, `1e+21`). `indent` -1 is
/// compact.
[[nodiscard]] std::string DumpJson(const nlohmann::json& value, int indent);
[[nodiscard]] std::string DumpJson(const nlohmann::ordered_json& value, int indent);

/// One float as above. Not for infinities and NaN.
[[nodiscard]] std::string DumpFloat(double value);

/// Why a body is not JSON: the decoder's words and where it stopped, as clients of the reference
/// see them.
struct JsonSyntaxError {
  std::string text;    // "invalid character 'x' looking for beginning of value"
  int64_t offset = 0;  // Bytes read before the error, the culprit included.
};

/// Parses one JSON value and nothing behind it. An empty body is "unexpected end of JSON input", or
/// "EOF" for those handlers that decode from a stream: they say so themselves.
[[nodiscard]] tl::expected<nlohmann::ordered_json, JsonSyntaxError> ParseJson(
    std::string_view text);

/// Where the reference's decoder stops at a value it cannot use: behind one without parts, behind the bracket that
/// opens one with parts. `members` leads there from the outside in, indexes of lists as digits. `text` is one JSON
/// value; of members that are there twice the last counts, as in the decoder. 0 if there is no such value.
[[nodiscard]] size_t DecoderStop(std::string_view text, std::span<const std::string> members);

}  // namespace api

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace api {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

/// One HTTP request as a handler sees it. Knows no transport, so that tests fill one in by hand.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // As it came, query included: "/pd/api/v1/config/rule/pd/a%2Fb?x=1"
  std::string path = "/";    // The target's path, still percent-encoded.
  HttpFields params;         // Path parameters by name, decoded: the route pattern's {names}.
  HttpFields query;          // Decoded, in order; keys may repeat.
  HttpFields headers;        // Names as they came; compare without case.
  std::string body;          // Read whole, whatever the Content-Type says.
  std::string client_ip;     // X-Forwarded-For (first), else X-Real-Ip, else the connection's.
  std::string client_port;   // X-Forwarded-Port, else the connection's; may be empty.

  /// A path parameter; empty if the route has none of this name.
  [[nodiscard]] std::string_view Param(std::string_view name) const;

  /// The first value of a query parameter; nothing if absent ("?a" and "?a=" are present and
  /// empty).
  [[nodiscard]] std::optional<std::string_view> Query(std::string_view name) const;

  /// All values of a query parameter, in order.
  [[nodiscard]] std::vector<std::string_view> QueryAll(std::string_view name) const;

  /// The first value of a header; nothing if absent. `name` compares without case.
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
};

/// Decodes %xx; with kPlusIsSpace (queries) also '+'. Nothing if a '%' is not followed by two hex
/// digits.
enum class PlusSign { kLiteral, kIsSpace };
[[nodiscard]] std::optional<std::string> PercentDecode(std::string_view text, PlusSign plus);

/// Parses "a=1&b=%20" into decoded pairs. Pairs that do not decode, or hold a ';', are dropped, as
/// the reference does.
[[nodiscard]] HttpFields ParseQuery(std::string_view query);

/// Compares ASCII text without case.
[[nodiscard]] bool EqualsIgnoreCase(std::string_view left, std::string_view right);

}  // namespace api

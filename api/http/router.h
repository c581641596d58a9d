#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/request.h"
#include "api/http/response.h"

namespace api {

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

/// Paths to handlers. Filled at start, read-only afterwards; then thread-safe.
///
///     router.Add("GET", "/pd/api/v1/store/{id}", "GetStore", [&](const HttpRequest& request) {
///       const auto id = ParseUint64(request.Param("id"));   // Already decoded.
///       ...
///       return JsonV1(200, body);
///     });
///     router.Add("*", "/dashboard/{path...}", "Dashboard", ...);  // "*": any method; {path...}:
///     the rest, slashes too.
///
/// Matching is per segment on the raw path, so that an id may hold %2F; a parameter never matches
/// an empty segment
/// ({path...} does). Exact segments win over parameters, parameters over {path...}. No match: 404;
/// a match with other methods only: 405 (as in the reference). HEAD is its own method and matches no
/// GET.
///
/// `name` is the handler's name in metrics, audit and rate limits (as in the reference). Whether a
/// request is forwarded to the leader hangs on its path alone, see api/http/leader_gate.h.
class Router {
 public:
  struct Match {
    const HttpHandler* handler = nullptr;  // Null: look at known_path.
    std::string_view name;
    HttpFields params;        // Decoded.
    bool known_path = false;  // The path has handlers, but for other methods.
  };

  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Stops the process when the same method and pattern come twice: two rooms claim one route.
  void Add(std::string_view method, std::string_view pattern, std::string_view name,
           HttpHandler handler);

  /// `path` without the query, percent-encoded.
  [[nodiscard]] Match Find(std::string_view method, std::string_view path) const;

  /// Whether some route has this handler name.
  [[nodiscard]] bool HasName(std::string_view name) const { return names_.count(name) != 0; }

  /// "GET /pd/api/v1/store/{id}" of every route, in the order of registration.
  [[nodiscard]] const std::vector<std::string>& routes() const { return routes_; }

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::string> routes_;
  std::set<std::string, std::less<>> names_;
};

/// An unsigned decimal path or query parameter. The error is the reference's text:
/// `strconv.ParseUint: parsing "x": invalid syntax` (or `value out of range`).
[[nodiscard]] tl::expected<uint64_t, std::string> ParseUint64(std::string_view text);
/// The same for a truth value: 1, t, T, true, TRUE, True, and likewise for false.
[[nodiscard]] tl::expected<bool, std::string> ParseBool(std::string_view text);

/// A signed decimal parameter; `function` names the text's source: "ParseInt" or "Atoi".
[[nodiscard]] tl::expected<int64_t, std::string> ParseInt64(std::string_view text,
                                                            std::string_view function = "ParseInt");

}  // namespace api

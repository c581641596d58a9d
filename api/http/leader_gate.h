#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/http/request.h"
#include "api/http/response.h"
#include "api/leader_directory.h"
#include "api/tls/files.h"

namespace api {

/// What a path has to do with leadership (as in the reference), by its prefix alone.
enum class PathKind {
  kLocal,  // Every member answers for itself.
  kV1,     // /pd/api/v1: followers forward, waiting for a leader; errors are plain text.
  kV2,     // /pd/api/v2: followers forward at once; errors are JSON strings.
  kOther,  // No gate: /metrics, /dashboard, ...
};
[[nodiscard]] PathKind KindOfPath(std::string_view method, std::string_view path);

/// Sends requests that belong to the PD leader there and brings its answer back, as a proxy: never a 3xx. Thread-safe.
class LeaderGate {
 public:
  /// Sends one request to a client URL; nothing when it cannot be reached. Blocks for a bounded time.
  using Send = std::function<std::optional<HttpResponse>(const std::string& url,
                                                         const HttpRequest& request)>;
  /// Waits; a place for tests to pass time.
  using Sleep = std::function<void(std::chrono::milliseconds)>;

  LeaderGate(const LeaderDirectory& leaders, Send send, Sleep sleep);

  /// Nothing: answer here. Else the answer: the leader's, or why it could not be had. May wait 3 s for a leader to
  /// appear.
  [[nodiscard]] std::optional<HttpResponse> Pass(const HttpRequest& request) const;

 private:
  [[nodiscard]] LeaderView WaitForLeader(PathKind kind) const;

  const LeaderDirectory& leaders_;
  const Send send_;
  const Sleep sleep_;
};

/// The real Send: HTTP/1.1, over TLS at https URLs (OpenHttpClient); 3 s to connect, 60 s for the answer; gzip answers
/// are unpacked.
[[nodiscard]] std::optional<HttpResponse> SendHttp(const std::string& url,
                                                   const HttpRequest& request,
                                                   const TlsFiles& files);

}  // namespace api

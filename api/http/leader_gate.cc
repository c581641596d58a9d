#include "api/http/leader_gate.h"

#include <algorithm>
#include <array>
#include <utility>

#include <httplib.h>

#include "api/tls/http_client.h"

namespace api {
namespace {

constexpr std::string_view kRedirector = "PD-Redirector";
constexpr std::string_view kAllowFollower = "PD-Allow-follower-handle";

/// Prefixes under /pd/api/v1 that every member answers for itself.
constexpr std::array<std::string_view, 6> kLocalV1 = {"/admin/log", "/status",  "/health",
                                                      "/ping",      "/version", "/debug/pprof"};
constexpr std::array<std::string_view, 3> kLocalV2 = {"/ready", "/livez", "/readyz"};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

/// As StartsWith, but "/ready" does not start "/readyz".
bool Under(std::string_view path, std::string_view prefix) {
  return StartsWith(path, prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// Headers that belong to one connection, or that the client library writes itself.
bool IsHopHeader(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kHop = {
      "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Content-Encoding",
      "Host",       "Upgrade",    "Accept-Encoding",   "Expect"};
  return std::any_of(kHop.begin(), kHop.end(),
                     [&](std::string_view hop) { return EqualsIgnoreCase(hop, name); });
}

HttpResponse GateError(PathKind kind, int status, std::string_view v1, std::string_view v2) {
  return kind == PathKind::kV2 ? CompactV2(status, nlohmann::json(std::string(v2)))
                               : PlainError(status, v1);
}

/// The request as the leader gets it.
HttpRequest Forwarded(PathKind kind, const HttpRequest& request, const std::string& own_name) {
  HttpRequest forwarded = request;
  forwarded.headers.clear();
  for (const auto& [name, value] : request.headers) {
    if (!IsHopHeader(name)) forwarded.headers.emplace_back(name, value);
  }
  forwarded.headers.emplace_back(kRedirector, own_name);
  if (kind == PathKind::kV1) {
    if (!request.client_ip.empty())
      forwarded.headers.emplace_back("X-Forwarded-For", request.client_ip);
    if (!request.client_port.empty()) {
      forwarded.headers.emplace_back("X-Forwarded-Port", request.client_port);
    }
  }
  return forwarded;
}

}  // namespace

PathKind KindOfPath(std::string_view method, std::string_view path) {
  constexpr std::string_view kV1 = "/pd/api/v1";
  constexpr std::string_view kV2 = "/pd/api/v2";
  if (Under(path, kV1)) {
    const std::string_view rest = path.substr(kV1.size());
    if (method == "GET" && rest == "/config") return PathKind::kLocal;
    const bool local = std::any_of(kLocalV1.begin(), kLocalV1.end(), [&](std::string_view prefix) {
      return StartsWith(rest, prefix);
    });
    return local ? PathKind::kLocal : PathKind::kV1;
  }
  if (Under(path, kV2)) {
    const std::string_view rest = path.substr(kV2.size());
    const bool local = std::any_of(kLocalV2.begin(), kLocalV2.end(),
                                   [&](std::string_view prefix) { return Under(rest, prefix); });
    return local ? PathKind::kLocal : PathKind::kV2;
  }
  return PathKind::kOther;
}

LeaderGate::LeaderGate(const LeaderDirectory& leaders, Send send, Sleep sleep)
    : leaders_(leaders), send_(std::move(send)), sleep_(std::move(sleep)) {}

std::optional<HttpResponse> LeaderGate::Pass(const HttpRequest& request) const {
  const PathKind kind = KindOfPath(request.method, request.path);
  if (kind == PathKind::kLocal || kind == PathKind::kOther) return std::nullopt;
  LeaderView view = leaders_.Leader();
  if (!view.started) {
    constexpr std::string_view kText = "[PD:server:ErrServerNotStarted]server not started";
    return GateError(kind, 500, kText, kText);
  }
  if (view.serving || !request.Header(kAllowFollower).value_or("").empty()) return std::nullopt;
  if (request.Header(kRedirector)) {
    constexpr std::string_view kText = "[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader";
    return GateError(kind, 500, kText, kText);
  }
  view = WaitForLeader(kind);
  if (view.serving) return std::nullopt;
  if (view.leader_client_urls.empty() || view.leader_client_urls == view.own_client_urls) {
    return GateError(kind, 503, "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader",
                     "[PD:server:ErrLeaderNil]leader is nil");
  }
  const HttpRequest forwarded = Forwarded(kind, request, view.own_name);
  for (const std::string& url : view.leader_client_urls) {
    if (auto answer = send_(url, forwarded)) return answer;
  }
  constexpr std::string_view kText = "[PD:apiutil:ErrRedirect]redirect failed";
  return GateError(kind, 500, kText, kText);
}

LeaderView LeaderGate::WaitForLeader(PathKind kind) const {
  constexpr std::chrono::milliseconds kPatience{3000};
  std::chrono::milliseconds pause{100};
  std::chrono::milliseconds waited{0};
  while (true) {
    LeaderView view = leaders_.Leader();
    // A leader that is this member itself is still starting its services: as good as none yet.
    const bool other =
        !view.leader_client_urls.empty() && view.leader_client_urls != view.own_client_urls;
    if (view.serving || other || kind == PathKind::kV2 || waited >= kPatience) return view;
    sleep_(std::min(pause, kPatience - waited));
    waited += pause;
    pause *= 2;
  }
}

std::optional<HttpResponse> SendHttp(const std::string& url, const HttpRequest& request,
                                     const TlsFiles& files) {
  const auto client = OpenHttpClient(url, files);
  if (!client->is_valid()) return std::nullopt;
  client->set_connection_timeout(std::chrono::seconds(3));
  client->set_read_timeout(std::chrono::seconds(60));
  client->set_write_timeout(std::chrono::seconds(60));
  client->set_url_encode(false);  // The target is encoded already; %2F must stay as it is.
  httplib::Request outgoing;
  outgoing.method = request.method;
  outgoing.path = request.target;
  outgoing.body = request.body;
  for (const auto& [name, value] : request.headers) outgoing.headers.emplace(name, value);
  const httplib::Result result = client->send(outgoing);
  if (!result) return std::nullopt;
  HttpResponse response{result->status, {}, result->body, {}};
  for (const auto& [name, value] : result->headers) {
    if (!IsHopHeader(name) && !EqualsIgnoreCase(name, "Date"))
      response.headers.emplace_back(name, value);
  }
  return response;
}

}  // namespace api

#include "api/grpc/forwarding.h"

#include <algorithm>

#include <fmt/format.h>

namespace api {
namespace {

/// What follows the scheme, or nothing for a URL without one.
std::optional<std::string_view> AfterScheme(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.substr(0, scheme.size()) == scheme) return url.substr(scheme.size());
  }
  return std::nullopt;
}

bool AnySame(const std::vector<std::string>& urls, std::string_view host) {
  return std::any_of(urls.begin(), urls.end(),
                     [&](const std::string& url) { return SameClientUrl(url, host); });
}

/// The wanted host, or nothing when the header is absent or empty.
std::optional<std::string_view> WantedHost(const CallContext& context) {
  const auto host = context.Find(kForwardedHostKey);
  return host && !host->empty() ? host : std::nullopt;
}

}  // namespace

bool SameClientUrl(std::string_view left, std::string_view right) {
  const auto left_host = AfterScheme(left);
  return left_host && left_host == AfterScheme(right);
}

std::optional<RpcStatus> CheckForwardedHost(const CallContext& context, const LeaderView& view) {
  const auto host = WantedHost(context);
  if (!host) return std::nullopt;
  if (view.leader_client_urls.empty()) return RpcStatus{StatusCode::kUnavailable, "not leader"};
  if (AnySame(view.leader_client_urls, *host)) return std::nullopt;
  return RpcStatus{
      StatusCode::kInvalidArgument,
      fmt::format(
          "forwarded host {} is not a client URL of the PD leader: pd is not leader of cluster",
          GoQuoted(*host))};
}

std::optional<std::string> ForwardTarget(const CallContext& context, const LeaderView& view) {
  const auto host = WantedHost(context);
  if (!host || AnySame(view.own_client_urls, *host)) return std::nullopt;
  // The scheme of the leader's own URL says whether it speaks TLS; the client's may differ.
  for (const std::string& url : view.leader_client_urls) {
    if (SameClientUrl(url, *host)) return url;
  }
  return std::string(*host);
}

std::optional<std::string> LeaderTarget(const CallContext& context, const LeaderView& view) {
  const bool leads = view.serving || view.leader_client_urls == view.own_client_urls;
  if (leads || view.leader_client_urls.empty() || context.Find(kSentOnKey)) return std::nullopt;
  return view.leader_client_urls.front();
}

std::string GoQuoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      default:
        // Metadata values are printable ASCII, so other escapes are for callers with stranger text.
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
          quoted += c;
        }
    }
  }
  return quoted + '"';
}

}  // namespace api

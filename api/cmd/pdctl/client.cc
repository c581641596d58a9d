#include "api/cmd/pdctl/client.h"

#include <charconv>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>

#include "api/tls/http_client.h"

namespace api::pdctl {
namespace {

constexpr time_t kConnectTimeoutS = 5;
constexpr time_t kAnswerTimeoutS = 60;  // Unsafe recovery and splits answer late.

constexpr const char* kBadAddress =
    "bad address: address format is wrong, should like 'http://127.0.0.1:2379' or '127.0.0.1:2379'";

std::string TransportText(const Endpoint& endpoint, const Request& request, httplib::Error error) {
  std::string method = request.method;
  for (size_t i = 1; i < method.size(); ++i) method[i] = static_cast<char>(method[i] + ('a' - 'A'));
  const std::string head = fmt::format("{} \"{}{}\": ", method, endpoint.Url(), request.target);
  const std::string where = fmt::format("{}:{}", endpoint.host, endpoint.port);
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return fmt::format("{}dial tcp {}: cannot connect, no server is listening there", head,
                         where);
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLLoadingCerts:
    case httplib::Error::SSLServerVerification:
      return fmt::format("{}TLS handshake with {} failed ({})", head, where,
                         httplib::to_string(error));
    default:
      // TLS 1.3: a refused certificate shows only when the answer does not come.
      return fmt::format("{}{} gave no valid HTTP answer ({}){}", head, where,
                         httplib::to_string(error),
                         endpoint.tls ? ", is --cert a certificate that it accepts?" : "");
  }
}

std::unique_ptr<httplib::Client> Connect(const Endpoint& endpoint, const TlsFiles& tls) {
  auto http = OpenHttpClient(endpoint.Url(), tls);
  http->set_connection_timeout(kConnectTimeoutS);
  http->set_read_timeout(kAnswerTimeoutS);
  http->set_write_timeout(kAnswerTimeoutS);
  http->set_url_encode(false);
  http->set_follow_location(true);  // A doubled slash is answered with a redirect.
  http->set_keep_alive(false);
  return http;
}

std::string Escape(const std::string& text, const char* space) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                       byte == '~';
    if (plain) {
      out += c;
    } else if (byte == ' ') {
      out += space;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

}  // namespace

std::string Endpoint::Url() const {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "https" : "http", v6 ? "[" : "", host, v6 ? "]" : "",
                     port);
}

tl::expected<Endpoint, std::string> ParseEndpoint(const std::string& text) {
  Endpoint endpoint;
  std::string rest = text;
  if (const size_t scheme_end = text.find("://"); scheme_end != std::string::npos) {
    const std::string scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https" && scheme != "pd" && scheme != "tikv") {
      return tl::unexpected<std::string>(kBadAddress);
    }
    endpoint.tls = scheme == "https";
    rest = text.substr(scheme_end + 3);
  }
  rest = rest.substr(0, rest.find('/'));
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0) return tl::unexpected<std::string>(kBadAddress);
  endpoint.host = rest.substr(0, colon);
  if (endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const char* end = rest.data() + rest.size();
  const auto [rest_of_port, error] = std::from_chars(rest.data() + colon + 1, end, endpoint.port);
  if (error != std::errc{} || rest_of_port != end || endpoint.port < 1 || endpoint.port > 65535) {
    return tl::unexpected<std::string>(kBadAddress);
  }
  return endpoint;
}

Client::Client(std::vector<Endpoint> endpoints, TlsFiles tls)
    : endpoints_(std::move(endpoints)), tls_(std::move(tls)) {}

Answer Client::SendTo(const Endpoint& endpoint, const Request& request) {
  httplib::Request raw;
  raw.method = request.method;
  raw.path = request.target;
  raw.body = request.body;
  raw.set_header("X-Caller-ID", "pd-ctl");
  for (const auto& [name, value] : request.headers) raw.set_header(name, value);
  if (!request.body.empty()) raw.set_header("Content-Type", request.content_type);
  const httplib::Result result = Connect(endpoint, tls_)->send(raw);
  Answer answer;
  if (!result) {
    answer.error = TransportText(endpoint, request, result.error());
    return answer;
  }
  answer.reached = true;
  answer.status = result->status;
  answer.body = result->body;
  if (!answer.Ok()) answer.error = fmt::format("[{}] {}", answer.status, answer.body);
  return answer;
}

Answer Client::Send(const Request& request) {
  Answer last;
  bool reached = false;
  for (const Endpoint& endpoint : endpoints_) {
    last = SendTo(endpoint, request);
    if (last.Ok()) return last;
    reached = reached || last.reached;
  }
  last.reached = reached;
  if (endpoints_.size() > 1) {
    last.error = fmt::format(
        "after trying all endpoints, no endpoint is available, the last error we met: {}",
        last.error);
  }
  return last;
}

std::string QueryEscape(const std::string& text) { return Escape(text, "+"); }

std::string PathEscape(const std::string& text) { return Escape(text, "%20"); }

}  // namespace api::pdctl

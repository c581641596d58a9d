#pragma once

#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "api/tls/files.h"

namespace api::pdctl {

/// Where a server listens.
struct Endpoint {
  bool tls = false;
  std::string host;  // Without brackets for IPv6.
  int port = 0;

  [[nodiscard]] std::string Url() const;  // "http://127.0.0.1:2379"
};

struct Request {
  std::string method = "GET";
  std::string target;  // Path and query, already percent-encoded.
  std::string body = {};
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers = {};
};

/// What came back. Anything but 200 is a failure, and `error` then says which: "[404] BODY" or the transport's text.
struct Answer {
  bool reached = false;  // Some server answered, with whatever status.
  int status = 0;
  std::string body;
  std::string error;

  [[nodiscard]] bool Ok() const { return status == 200; }
  /// Failures that a server reported leave the exit status at 0, as in the reference tool; a server that cannot be
  /// reached makes it 1.
  [[nodiscard]] int ExitStatus() const { return reached ? 0 : 1; }
};

/// Parses "host:port", "http://…", "https://…", "pd://…" or "tikv://…". The error is the text to print.
tl::expected<Endpoint, std::string> ParseEndpoint(const std::string& text);

/// Asks the given servers in order until one answers 200, over TLS as in OpenHttpClient. Blocking; one request at a
/// time; not thread-safe.
class Client {
 public:
  Client(std::vector<Endpoint> endpoints, TlsFiles tls);

  Answer Send(const Request& request);
  Answer SendTo(const Endpoint& endpoint, const Request& request);
  Answer Get(const std::string& target) { return Send(Request{.target = target}); }

  [[nodiscard]] const std::vector<Endpoint>& endpoints() const { return endpoints_; }
  [[nodiscard]] const TlsFiles& tls() const { return tls_; }

 private:
  std::vector<Endpoint> endpoints_;
  TlsFiles tls_;
};

/// Percent-encodes for a query value: letters, digits and -_.~ stay, a space becomes '+'.
std::string QueryEscape(const std::string& text);

/// Percent-encodes for one path segment.
std::string PathEscape(const std::string& text);

}  // namespace api::pdctl

#pragma once

#include <string>
#include <vector>

namespace api {

/// Who leads, as this member knows it. Client URLs carry their scheme.
struct LeaderView {
  std::vector<std::string> leader_client_urls = {};  // Empty: no known leader.
  std::vector<std::string> own_client_urls = {};
  std::string own_name = {};
  bool serving = false;  // This member is the PD leader and its services run (as in the reference).
  bool started = true;   // False before the server is up and once it stops.
};

/// Where forwarding (gRPC and HTTP) learns who leads. Thread-safe; asked once a call at most.
class LeaderDirectory {
 public:
  virtual ~LeaderDirectory() = default;
  [[nodiscard]] virtual LeaderView Leader() const = 0;
};

}  // namespace api

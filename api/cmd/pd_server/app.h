#pragma once

#include <functional>
#include <memory>

#include "pd/config/config.h"
#include "pd/result.h"

namespace api {

/// A whole pd-server in one process: the placement driver, its peer port and its client port. Construct, Start once,
/// Stop.
class ServerApp {
 public:
  /// `on_removed`: told when this member turns out to be removed from the cluster, so that the process can end. On a
  /// thread of the server: must not block, nor call Stop().
  ServerApp(pd::Config config, std::function<void()> on_removed);
  ~ServerApp();
  ServerApp(const ServerApp&) = delete;
  ServerApp& operator=(const ServerApp&) = delete;

  /// Opens the data directory (joining a cluster first where that is asked for), then the ports. When it fails nothing
  /// runs. Errors: kIo, kCorrupt, kInvalidArgument (TLS files too); kUnavailable and kAlreadyExists from a join.
  pd::Result<void> Start();

  /// Hands leadership over, then closes everything. Idempotent.
  void Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace api

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "api/grpc/call_hooks.h"
#include "api/grpc/forwarding.h"
#include "api/grpc/registry.h"
#include "api/tls/grpc_credentials.h"
#include "api/tls/security.h"
#include "api/worker_pool.h"
#include "pd/result.h"

namespace api {

/// A gRPC server over a MethodRegistry, without generated stubs: bytes come in by method name, one completion queue
/// carries all calls (api/decisions/0001-generic-grpc-service.md).
///
/// Lifecycle: construct, Start once, Stop. What it is given must outlive it. TakeConnection is thread-safe after Start.
class GrpcServer {
 public:
  struct Options {
    std::string listen;  // "127.0.0.1:0" to listen itself; empty: only what TakeConnection brings.
    Security security = Security::kPlain;  // Of `listen`.
    size_t io_threads = 2;                 // Threads on the completion queue.
    size_t receive_bytes_max = (150u << 20) + (512u << 10);
    std::chrono::milliseconds ping_interval_min{5000};  // Clients that ping more often are cut off.
    std::chrono::milliseconds handshake{10'000};        // For TLS and HTTP/2 settings together.
    StreamLimits streams = {};
  };

  /// Optional parts; null switches one off.
  struct Parts {
    const LeaderDirectory* leaders = nullptr;  // Without it `pd-forwarded-host` is ignored.
    RateLimiter* limiter = nullptr;
    CallMetrics* metrics = nullptr;
    const GrpcCredentials* tls = nullptr;  // Serves TLS, and speaks it to other members.
  };

  GrpcServer(const MethodRegistry& methods, WorkerPool& pool, Options options, Parts parts);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  /// kIo when it cannot listen; kInvalidArgument when it shall listen with TLS and has no credentials.
  pd::Result<void> Start();

  /// The port it listens on; 0 without `listen`.
  [[nodiscard]] int port() const;

  /// Takes over an accepted, connected socket (closed by this server from now on) whose HTTP/2 preface, or TLS hello,
  /// is still unread. TLS without credentials closes it.
  void TakeConnection(int socket, Security security = Security::kPlain);

  /// Takes no more calls, gives those under way `grace` to end, cancels the rest and joins the threads. Idempotent. The
  /// pool must still run.
  void Stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace api

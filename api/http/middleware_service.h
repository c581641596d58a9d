#pragma once

#include "api/http/middleware_handlers.h"
#include "api/rate_limits.h"
#include "pd/server.h"

namespace api {

/// The rate limits of a running server: what a leader finds saved when it starts, and saves when told to change. A
/// follower has no limits of its own; what it forwards is counted by the leader.
class MiddlewareService final : public pd::LeaderService {
 public:
  explicit MiddlewareService(pd::PdServer& server);

  [[nodiscard]] RateLimits& http() { return http_; }
  [[nodiscard]] RateLimits& grpc() { return grpc_; }
  [[nodiscard]] ServiceMiddleware& middleware() { return middleware_; }

  /// What is saved but malformed is logged and counts as nothing saved: limits must not keep a cluster without a
  /// leader.
  pd::Result<void> OnLeaderStart(uint64_t term) override;
  void OnLeaderStop() override;

 private:
  pd::PdServer& server_;
  RateLimits http_;
  RateLimits grpc_;
  ServiceMiddleware middleware_;
};

}  // namespace api

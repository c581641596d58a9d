#pragma once

#include <memory>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "api/grpc/cluster_calls.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {

/// The methods of a member that leads, with a coordinator, called without a wire. Handlers are added by the test.
class LeaderCalls {
 public:
  LeaderCalls() { server.Fill(); }

  /// The header is filled in. The call itself succeeds.
  template <class Response, class Request>
  Response Call(std::string_view name, Request request) {
    request.mutable_header()->set_cluster_id(pd::test::kClusterId);
    const auto* const method = registry.Find(name);
    REQUIRE(method != nullptr);
    Response response;
    const RpcStatus status =
        std::get<std::unique_ptr<UnaryMethod>>(method->body)
            ->Handle(CallContext(CallContext::Fields{}), request,
                     [&](const auto& message) { response.CheckTypeAndMergeFrom(message); });
    REQUIRE(status.ok());
    return response;
  }

  pd::test::Server server;

 private:
  class Alone final : public LeaderDirectory {
   public:
    [[nodiscard]] LeaderView Leader() const override { return {.serving = true}; }
  };

  Alone alone_;
  pd::MetricsRegistry metrics_;
  HeartbeatMetrics heartbeat_metrics_{metrics_, [](scheduler::StoreId) { return std::string(); }};

 public:
  const ClusterCalls calls{server.cluster(),
                           alone_,
                           [] { return true; },
                           [] { return true; },
                           [] { return pd::test::kClusterId; },
                           [] { return pd::Result<uint64_t>(1); },
                           heartbeat_metrics_};
  MethodRegistry registry;
};

}  // namespace api

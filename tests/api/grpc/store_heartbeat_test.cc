#include <memory>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "api/grpc/store_heartbeat_handler.h"
#include "proto/pdpb.pb.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

class OwnDirectory final : public LeaderDirectory {
 public:
  [[nodiscard]] LeaderView Leader() const override { return {.serving = true}; }
};

/// StoreHeartbeat of a member that leads, called without a wire.
struct Fixture {
  Fixture() {
    server.Fill();
    AddStoreHeartbeatHandler(registry, calls, server.coordinator());
  }
  pdpb::StoreHeartbeatResponse Send(const pdpb::StoreHeartbeatRequest& request) {
    const auto* const method = registry.Find("/pdpb.PD/StoreHeartbeat");
    REQUIRE(method != nullptr);
    pdpb::StoreHeartbeatResponse response;
    const RpcStatus status = std::get<std::unique_ptr<UnaryMethod>>(method->body)
                                 ->Handle(CallContext(CallContext::Fields{}), request,
                                          [&](const google::protobuf::MessageLite& message) {
                                            response.CheckTypeAndMergeFrom(message);
                                          });
    REQUIRE(status.ok());
    return response;
  }
  [[nodiscard]] int64_t Capacity(uint64_t store) {
    const auto windows = server.coordinator().limits().WindowsOf({store});
    REQUIRE(windows);
    return windows->capacity_mib();
  }

  pd::test::Server server;
  OwnDirectory leaders;
  pd::MetricsRegistry metrics;
  HeartbeatMetrics heartbeat_metrics{metrics, [](scheduler::StoreId) { return std::string(); }};
  ClusterCalls calls{server.cluster(),
                     leaders,
                     [] { return true; },
                     [] { return true; },
                     [] { return pd::test::kClusterId; },
                     []() -> pd::Result<uint64_t> { return 1; },
                     heartbeat_metrics};
  MethodRegistry registry;
};

TEST_CASE("a store's snapshots teach how much it may send", "[store heartbeat]") {
  Fixture f;
  REQUIRE(f.server.config().Update([](pd::OnlineConfig& online) -> pd::Result<void> {
    online.schedule.store_limit_version = "v2";
    return {};
  }));
  scheduler::Influence sending;
  for (const uint64_t store : {1U, 2U}) {
    sending.At({store}).cost[static_cast<size_t>(scheduler::LimitType::kSendSnapshot)] = 1000;
  }
  f.server.coordinator().limits().TakeAnyway(sending, scheduler::Priority::kLow, {});

  pdpb::StoreHeartbeatRequest request;
  request.mutable_header()->set_cluster_id(pd::test::kClusterId);
  request.mutable_stats()->set_store_id(2);
  pdpb::SnapshotStat& snapshot = *request.mutable_stats()->add_snapshot_stats();
  snapshot.set_generate_duration_sec(4);
  snapshot.set_send_duration_sec(16);
  snapshot.set_total_duration_sec(30);
  SECTION("the store that reports sent them") {
    CHECK_FALSE(f.Send(request).header().has_error());
    CHECK(f.Capacity(2) == 20 * 10 + 10 * 10);
    CHECK(f.Capacity(1) == 100);
  }
  SECTION("each counts") {
    *request.mutable_stats()->add_snapshot_stats() = snapshot;
    f.Send(request);
    CHECK(f.Capacity(2) == 20 * 10 + 10 * 20);
  }
  SECTION("an unknown store teaches nothing") {
    request.mutable_stats()->set_store_id(9);
    CHECK(f.Send(request).header().has_error());
    CHECK(f.Capacity(9) == 100);
  }
}

}  // namespace
}  // namespace api

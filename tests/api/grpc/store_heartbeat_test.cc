#include "api/grpc/store_heartbeat_handler.h"
#include "tests/api/grpc/leader_calls.h"

namespace api {
namespace {

struct Fixture : LeaderCalls {
  Fixture() { AddStoreHeartbeatHandler(registry, calls, server.coordinator()); }

  pdpb::StoreHeartbeatResponse Send(const pdpb::StoreHeartbeatRequest& request) {
    return Call<pdpb::StoreHeartbeatResponse>("/pdpb.PD/StoreHeartbeat", request);
  }
  [[nodiscard]] int64_t Capacity(uint64_t store) {
    const auto windows = server.coordinator().limits().WindowsOf({store});
    REQUIRE(windows);
    return windows->capacity_mib();
  }
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

// AskBatchSplit with reason LOAD, over the method that the server answers: the parts are scattered afterwards.
#include <chrono>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "api/grpc/cluster_calls.h"
#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

using harness::Eventually;
using pd::test::ThreeVoters;

class NoOtherLeader final : public LeaderDirectory {
 public:
  [[nodiscard]] LeaderView Leader() const override { return {}; }
};

/// The split calls of a leader with five stores, of which the first three have region 101. Nothing is balanced.
struct Fixture {
  Fixture() {
    server.Fill();
    for (const uint64_t id : {4U, 5U}) server.AddStore(id);
    REQUIRE(server.config().Update([](pd::OnlineConfig& online) -> pd::Result<void> {
      online.schedule.leader_schedule_limit = 0;
      online.schedule.region_schedule_limit = 0;
      online.schedule.merge_schedule_limit = 0;
      online.schedule.default_store_limit = {6000, 6000};
      online.cluster_version = "8.5.0";
      return {};
    }));
    REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
    AddSplitHandlers(registry, calls);
  }

  pdpb::AskBatchSplitResponse Ask(pdpb::SplitReason reason) {
    pdpb::AskBatchSplitRequest request;
    request.mutable_header()->set_cluster_id(pd::test::kClusterId);
    metapb::Region& region = *request.mutable_region();
    region.set_id(101);
    region.mutable_region_epoch()->set_conf_ver(1);
    region.mutable_region_epoch()->set_version(1);
    for (const uint64_t store : {1U, 2U, 3U}) {
      metapb::Peer& peer = *region.add_peers();
      peer.set_id(1010 + store);
      peer.set_store_id(store);
    }
    request.set_split_count(1);
    request.set_reason(reason);
    const auto& method =
        *std::get<std::unique_ptr<UnaryMethod>>(registry.Find("/pdpb.PD/AskBatchSplit")->body);
    pdpb::AskBatchSplitResponse response;
    const RpcStatus status =
        method.Handle(CallContext(CallContext::Fields{}), request,
                      [&](const auto& message) { response.CheckTypeAndMergeFrom(message); });
    REQUIRE(status.ok());
    REQUIRE_FALSE(response.header().has_error());
    return response;
  }

  /// The stores report what came of it: region 101 keeps the keys from "m" on.
  void ReportSplit(uint64_t new_region) {
    scheduler::Region left = ThreeVoters();
    left.id = {new_region};
    left.end_key = "m";
    left.epoch.version = 2;
    for (scheduler::Peer& peer : left.peers) peer.id.value += 1000;
    left.leader = left.peers.front();
    REQUIRE(server.cluster().HandleRegionReport(left));
    scheduler::Region right = ThreeVoters();
    right.start_key = "m";
    right.epoch.version = 2;
    REQUIRE(server.cluster().HandleRegionReport(right));
  }

  pd::test::Server server;
  pd::MetricsRegistry metrics;
  HeartbeatMetrics heartbeat_metrics{metrics, [](scheduler::StoreId) { return std::string(); }};
  NoOtherLeader leaders;
  const ClusterCalls calls{server.cluster(),
                           leaders,
                           [] { return true; },
                           [] { return true; },
                           [] { return pd::test::kClusterId; },
                           [] { return pd::Result<uint64_t>(1); },
                           heartbeat_metrics};
  MethodRegistry registry;
};

TEST_CASE("regions that a store splits for load are scattered") {
  Fixture f;
  const auto response = f.Ask(pdpb::LOAD);
  REQUIRE(response.ids_size() == 1);
  const uint64_t new_region = response.ids(0).new_region_id();
  f.ReportSplit(new_region);
  const pd::OperatorRunner& operators = f.server.coordinator().operators();
  REQUIRE(Eventually([&] { return operators.running_count() > 0; }));
  const scheduler::Proposal plan = operators.Running().front().op.plan();
  CHECK(plan.desc == "split-scatter-region");
  CHECK(plan.group == "split-scatter-101-" + std::to_string(new_region));
  // The store that leads is asked to begin.
  CHECK(Eventually([&] { return f.server.commands.Take(plan.region).has_value(); }));
}

TEST_CASE("regions that a store splits for another reason stay together") {
  Fixture f;
  for (const auto reason : {pdpb::SIZE, pdpb::ADMIN}) CHECK(f.Ask(reason).ids_size() == 1);
  f.ReportSplit(f.Ask(pdpb::SIZE).ids(0).new_region_id());
  REQUIRE(Eventually([&] { return f.server.coordinator().planning(); }));
  const auto pending = [&] {
    return f.server.Metrics().find("pd_checker_split_scatter_pending 0") != std::string::npos;
  };
  CHECK(Eventually(pending));
  CHECK(f.server.coordinator().operators().running_count() == 0);
}

}  // namespace
}  // namespace api

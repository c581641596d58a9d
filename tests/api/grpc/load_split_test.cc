// The reason of AskBatchSplit, over the method that the server answers. What becomes of the parts is the coordinator's
// test to show.
#include "tests/api/grpc/leader_calls.h"
#include "tests/harness/wait.h"

namespace api {
namespace {

TEST_CASE("only regions that a store splits for load are to be scattered", "[split]") {
  LeaderCalls leader;
  AddSplitHandlers(leader.registry, leader.calls);
  REQUIRE(leader.server.config().Update([](pd::OnlineConfig& online) -> pd::Result<void> {
    online.cluster_version = "8.5.0";
    return {};
  }));
  REQUIRE(leader.server.cluster().HandleRegionReport(pd::test::ThreeVoters()));
  const auto ask = [&](pdpb::SplitReason reason) {
    pdpb::AskBatchSplitRequest request;
    metapb::Region& region = *request.mutable_region();
    region.set_id(101);
    region.mutable_region_epoch()->set_conf_ver(1);
    region.mutable_region_epoch()->set_version(1);
    region.add_peers()->set_store_id(1);
    request.set_split_count(1);
    request.set_reason(reason);
    const auto answer = leader.Call<pdpb::AskBatchSplitResponse>("/pdpb.PD/AskBatchSplit", request);
    CHECK_FALSE(answer.header().has_error());
    CHECK(answer.ids_size() == 1);
  };
  const auto says = [&](const char* text) {
    return harness::Eventually(
        [&] { return leader.server.Metrics().find(text) != std::string::npos; });
  };
  ask(pdpb::SIZE);
  ask(pdpb::ADMIN);
  CHECK(says("pd_checker_split_scatter_pending 0"));
  ask(pdpb::LOAD);
  CHECK(says("pd_checker_split_scatter_pending 2"));
}

}  // namespace
}  // namespace api

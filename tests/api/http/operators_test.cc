// Operators made by hand, beyond what the recorded answers show: merges.
#include <string>

#include <catch2/catch.hpp>

#include "api/http/scheduling_routes.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

struct Fixture {
  Fixture() {
    server.Fill();
    server.coordinator().PauseChecker(scheduler::CheckerKind::kRule, 1000);
    server.coordinator().PauseChecker(scheduler::CheckerKind::kMerge, 1000);
    REQUIRE(server.coordinator().schedulers().Pause("all", 1000));  // They make operators, too.
    Report(101, "", "m", {1, 2, 3});
    Report(102, "m", "p", {1, 2, 3});
    Report(103, "p", "", {1, 2});
  }

  void Report(uint64_t id, const char* start, const char* end,
              const std::vector<uint64_t>& stores) {
    scheduler::Region region;
    region.id = {id};
    region.start_key = start;
    region.end_key = end;
    region.epoch = {5, 5};
    for (const uint64_t store : stores) {
      region.peers.push_back({{id * 10 + store}, {store}, scheduler::PeerRole::kVoter, false});
    }
    region.leader = region.peers.front();
    region.size_mib = 10;
    REQUIRE(server.cluster().HandleRegionReport(region));
  }

  /// Status and body.
  std::string Ask(const std::string& body) {
    HttpRequest request;
    request.method = "POST";
    request.body = body;
    const HttpResponse response = CreateOperator(routes, request);
    std::string text = std::to_string(response.status) + " " + response.body;
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  std::string Merge(uint64_t source, uint64_t target) {
    return Ask(R"({"name":"merge-region","source_region_id":)" + std::to_string(source) +
               R"(,"target_region_id":)" + std::to_string(target) + "}");
  }

  pd::test::Server server;
  SchedulingRoutes routes{server.coordinator(), [] { return true; }};
};

TEST_CASE("a region is merged into its neighbour by hand") {
  Fixture f;
  CHECK(f.Merge(102, 101) == R"(200 "The operator is created.")");
  const pd::OperatorRunner& operators = f.server.coordinator().operators();
  const auto source = operators.Find({102});
  const auto target = operators.Find({101});
  REQUIRE((source.has_value() && target.has_value()));
  CHECK(source->op.plan().desc == "admin-merge-region");
  CHECK(source->op.plan().brief == "merge: region 102 to 101");
  CHECK(target->op.plan().brief == "merge: region 102 to 101");
  const auto command = f.server.commands.Take({102});
  REQUIRE(command.has_value());
  const auto* merge = std::get_if<scheduler::MergeCommand>(&*command);
  REQUIRE(merge != nullptr);
  CHECK(merge->target.id == scheduler::RegionId{101});
  CHECK(merge->target.epoch == scheduler::RegionEpoch{5, 5});
  CHECK_FALSE(f.server.commands.Take({101}).has_value());
  CHECK(f.Merge(102, 101) ==
        R"(500 "[PD:operator:ErrAddOperator]failed to add operator, maybe already have one")");

  f.Report(102, "m", "p", {1, 2, 3});
  scheduler::Region joint = *f.server.cluster().regions().Find({101});
  joint.end_key = "p";
  joint.epoch.version = 6;
  REQUIRE(f.server.cluster().HandleRegionReport(joint));
  CHECK(operators.running_count() == 0);
  CHECK(operators.Find({101})->op.status() == scheduler::Status::kSuccess);
  CHECK(operators.Find({102})->op.status() == scheduler::Status::kSuccess);
  CHECK_FALSE(f.server.cluster().regions().Find({102}).has_value());
}

TEST_CASE("what cannot be merged is said") {
  Fixture f;
  CHECK(f.Ask(R"({"name":"merge-region"})") == R"(400 "missing region id")");
  CHECK(f.Ask(R"({"name":"merge-region","source_region_id":102})") ==
        R"(400 "invalid target region id to merge to")");
  CHECK(f.Merge(99, 102) == R"(500 "[PD:region:ErrRegionNotFound]region 99 not found")");
  CHECK(f.Merge(102, 99) == R"(500 "[PD:region:ErrRegionNotFound]region 99 not found")");
  CHECK(f.Merge(102, 103) ==
        R"(500 "[PD:region:ErrRegionAbnormalPeer]region 103 has abnormal peer")");
  CHECK(f.Merge(103, 102) ==
        R"(500 "[PD:region:ErrRegionAbnormalPeer]region 103 has abnormal peer")");
  f.Report(103, "p", "", {1, 2, 3});
  CHECK(f.Merge(103, 101) ==
        R"(500 "[PD:region:ErrRegionNotAdjacent]two regions are not adjacent")");
  CHECK(f.Merge(102, 102) ==
        R"(500 "[PD:region:ErrRegionNotAdjacent]two regions are not adjacent")");
  CHECK(f.server.coordinator().operators().running_count() == 0);
}

}  // namespace
}  // namespace api

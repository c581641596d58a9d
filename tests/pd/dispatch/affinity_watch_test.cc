// Affinity groups under a coordinator: they learn, their regions are moved and counted, and a new leader goes on.
#include "pd/dispatch/affinity_watch.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::AffinityPhase;
using scheduler::AffinityStores;
using scheduler::Availability;
using test::Server;
using test::ThreeVoters;

/// Four stores that serve, region 101 on three of them, and a group that it belongs to.
class Grouped {
 public:
  Grouped() {
    server.Fill();
    server.AddStore(4);
    server.cluster().stores().UpdateStates();
    SetLimit(4);
    REQUIRE(groups().Create({{"g", {{"", ""}}}}, AffinityGroups::Existing::kRefused));
  }
  void SetLimit(uint64_t limit) {
    REQUIRE(server.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.schedule.affinity_schedule_limit = limit;
      return {};
    }));
  }
  AffinityGroups& groups() { return server.cluster().affinity(); }
  AffinityGroups::Shown Group() { return *groups().Find("g"); }
  /// Time passes until the stores are looked at, which go on beating.
  void PassLook() {
    server.clock().ahead = server.clock().ahead.load() + 11s;
    for (const uint64_t id : {1U, 2U, 3U, 4U}) server.Beat(id);
  }

  Server server;
};

TEST_CASE("a group learns, its regions follow and are counted", "[affinity]") {
  Grouped grouped;
  Coordinator& coordinator = grouped.server.coordinator();
  REQUIRE(grouped.server.cluster().HandleRegionReport(ThreeVoters()));
  const AffinityStores first{{1}, {{1}, {2}, {3}}};
  REQUIRE(Eventually([&] { return grouped.Group().record.stores == first; }));
  CHECK(Eventually([&] { return grouped.Group().phase == AffinityPhase::kStable; }));
  CHECK(grouped.Group().counts.regions == 1);
  CHECK(coordinator.operators().running_count() == 0);

  // A paused checker moves nothing; then the region goes where its group belongs.
  coordinator.PauseChecker(scheduler::CheckerKind::kAffinity, 3600);
  REQUIRE(grouped.groups().Assign("g", {{4}, {{2}, {3}, {4}}}));
  CHECK(Eventually([&] {
    const auto all = coordinator.decisions().All();
    return std::ranges::any_of(all, [](const DecisionLog::Source& source) {
      return std::ranges::any_of(source.lines, [](const DecisionLog::Line& line) {
        return line.refusal.reason == scheduler::Reason::kPaused;
      });
    });
  }));
  CHECK(coordinator.operators().running_count() == 0);
  coordinator.PauseChecker(scheduler::CheckerKind::kAffinity, 0);
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 1; }));
  CHECK(coordinator.operators().Find({101})->op.plan().desc == "affinity-move-region");
  CHECK(coordinator.operators().CountOf(scheduler::Kind::kAffinity) == 1);
  CHECK(Eventually([&] { return grouped.Group().phase == AffinityPhase::kPreparing; }));

  // Nothing is counted while groups are turned off.
  grouped.SetLimit(0);
  CHECK(Eventually([&] { return grouped.Group().counts.regions == 0; }));
}

TEST_CASE("neighbours of a group that are in place become one", "[affinity]") {
  Grouped grouped;
  const OperatorRunner& operators = grouped.server.coordinator().operators();
  REQUIRE(grouped.groups().Assign("g", {{1}, {{1}, {2}, {3}}}));
  REQUIRE(grouped.server.cluster().HandleRegionReport(ThreeVoters()));
  test::ReportSplit(grouped.server.cluster(), {102});
  REQUIRE(Eventually([&] { return grouped.Group().counts.in_place == 2; }));
  CHECK(operators.running_count() == 0);
  grouped.server.Pass(61s);  // The first minute of this member is over.
  for (const uint64_t id : {1U, 2U, 3U, 4U}) grouped.server.Beat(id);
  REQUIRE(Eventually([&] { return operators.running_count() == 2; }));
  for (const uint64_t id : {101U, 102U}) {
    CHECK(operators.Find({id})->op.plan().desc == "affinity-merge-region");
  }
  CHECK(operators.CountOf(scheduler::Kind::kAffinity) == 2);
}

TEST_CASE("a new leader looks at the stores before it relies on them", "[affinity]") {
  Grouped grouped;
  Coordinator& coordinator = grouped.server.coordinator();
  REQUIRE(grouped.groups().Assign("g", {{4}, {{2}, {3}, {4}}}));
  grouped.server.StopLeading();
  CHECK(grouped.groups().All().empty());
  grouped.server.Lead();
  for (const uint64_t id : {1U, 2U, 3U, 4U}) grouped.server.Beat(id);
  CHECK(grouped.groups().groups()->at("g").availability == Availability::kDegraded);
  REQUIRE(grouped.server.cluster().HandleRegionReport(ThreeVoters()));
  REQUIRE(Eventually([&] { return coordinator.planning(); }));
  CHECK(Eventually([&] { return grouped.Group().counts.regions == 1; }));
  CHECK(grouped.Group().phase == AffinityPhase::kPending);
  CHECK(coordinator.operators().running_count() == 0);
  grouped.PassLook();
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 1; }));
  CHECK(coordinator.operators().Find({101})->op.plan().desc == "affinity-move-region");
  CHECK(grouped.groups().groups()->at("g").availability == Availability::kAvailable);
}

}  // namespace
}  // namespace pd

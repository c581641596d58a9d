// What keeps regions on a store that is offline, on a group of one that plans nothing.
#include "pd/dispatch/store_blockers.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace pd {
namespace {

using harness::Eventually;
using scheduler::DepartureState;
using scheduler::Reason;
using scheduler::Region;
using test::Server;

/// Stores 1 to 4, of which 3 leaves; `count` regions on stores 1, 2 and 3.
class Leaving {
 public:
  explicit Leaving(size_t count) {
    server.Fill();
    server.AddStore(4);
    REQUIRE(server.config().Update([](OnlineConfig& config) -> Result<void> {
      config.schedule.halt_scheduling = true;
      return {};
    }));
    for (size_t i = 0; i < count; ++i) {
      Report({101 + i}, i == 0 ? "" : fmt::format("k{:05}", i),
             i + 1 == count ? "" : fmt::format("k{:05}", i + 1));
    }
    REQUIRE(server.cluster().stores().Remove({3}, StoreTable::Destroyed::kNo));
  }

  void Report(scheduler::RegionId id, const std::string& start, const std::string& end) {
    Region region = test::ThreeVoters();
    region.id = id;
    region.start_key = start;
    region.end_key = end;
    region.epoch = {2, 2};
    REQUIRE(server.cluster().HandleRegionReport(region));
  }
  void Fill(uint64_t store, uint64_t available_gib) {
    StoreTable::Heartbeat heartbeat;
    heartbeat.id = {store};
    heartbeat.stats.capacity_bytes = 100ULL << 30;
    heartbeat.stats.available_bytes = available_gib << 30;
    REQUIRE(server.cluster().HandleStoreReport(heartbeat));
  }
  StoreBlockers Find(size_t listed_max = 16) {
    StoreBlockers found;
    server.coordinator().Look([&](const scheduler::PlanContext& context) {
      found = FindBlockers(context, server.cluster().regions(), {3}, listed_max);
    });
    return found;
  }
  static uint64_t Count(const StoreBlockers& found, DepartureState state) {
    return found.by_state[static_cast<size_t>(state)];
  }

  Server server;
};

TEST_CASE("regions that may go are ready, whatever holds all of them", "[blockers]") {
  Leaving f(3);
  const StoreBlockers found = f.Find();
  CHECK(found.regions == 3);
  CHECK(found.checked == 3);
  CHECK(Leaving::Count(found, DepartureState::kReady) == 3);
  CHECK(found.causes.empty());
  CHECK(found.listed.empty());
  REQUIRE(Eventually([&] { return f.server.coordinator().planning(); }));
  const auto holdups = f.server.coordinator().Holdups();
  REQUIRE(holdups.size() == 1);
  CHECK(holdups[0].reason == Reason::kHalted);
  f.server.coordinator().PauseChecker(scheduler::CheckerKind::kRule, 60);
  REQUIRE(f.server.config().Update([](OnlineConfig& config) -> Result<void> {
    config.schedule.halt_scheduling = false;
    config.schedule.replica_schedule_limit = 0;
    return {};
  }));
  const auto others = f.server.coordinator().Holdups();
  REQUIRE(others.size() == 2);
  CHECK(others[0].reason == Reason::kPaused);
  CHECK(others[1].reason == Reason::kScheduleLimit);
  f.server.StopLeading();
  CHECK(f.server.coordinator().Holdups().front().reason == Reason::kNotEnoughRegions);
}

TEST_CASE("a cause is told once, with its rule, the stores passed over and what would help",
          "[blockers]") {
  Leaving f(5);
  for (int beat = 0; beat < 60; ++beat) f.Fill(4, 1);
  // Counts of regions are below those that make a nearly full store acceptable: it has no room in any case.
  const StoreBlockers found = f.Find(2);
  CHECK(Leaving::Count(found, DepartureState::kBlocked) == 5);
  REQUIRE(found.causes.size() == 1);
  const StoreBlockers::Cause& cause = found.causes[0];
  CHECK(cause.state == DepartureState::kBlocked);
  CHECK(cause.refusal.reason == Reason::kNoTarget);
  CHECK(cause.regions == 5);
  REQUIRE(cause.rule);
  CHECK(cause.rule->id == "default");
  REQUIRE(cause.stores.size() == 4);
  CHECK(cause.stores[0].refusal.store == scheduler::StoreId{4});
  CHECK(cause.stores[0].refusal.reason == Reason::kStoreLowSpace);
  CHECK(cause.stores[0].regions == 5);
  CHECK(cause.stores[1].refusal.reason == Reason::kStoreHoldsPeer);
  CHECK(cause.remedies ==
        std::vector<std::string>{"add a store", "lower the count of rule pd/default, which is 3",
                                 "free space on store 4, or raise low-space-ratio"});
  REQUIRE(found.listed.size() == 2);
  CHECK(found.listed[0].region == scheduler::RegionId{101});
  CHECK(found.listed[0].cause.reason == Reason::kNoTarget);
}

TEST_CASE("regions with causes of their own are told apart", "[blockers]") {
  Leaving f(3);
  Region silent = test::ThreeVoters();
  silent.id = {103};
  silent.start_key = "k00002";
  silent.epoch = {3, 2};
  silent.leader = {};
  REQUIRE(f.server.cluster().HandleRegionReport(silent));
  for (int beat = 0; beat < 60; ++beat) f.Fill(4, 1);
  const StoreBlockers found = f.Find();
  REQUIRE(found.causes.size() == 2);
  CHECK(found.causes[0].regions == 2);
  CHECK(found.causes[1].refusal.reason == Reason::kRegionNoLeader);
  CHECK_FALSE(found.causes[1].rule);
  CHECK(found.causes[1].stores.empty());
  CHECK(found.causes[1].remedies.size() == 1);
}

TEST_CASE("only so many regions are looked at", "[blockers]") {
  Leaving f(StoreBlockers::kCheckedMax + 10);
  const StoreBlockers found = f.Find();
  CHECK(found.checked == StoreBlockers::kCheckedMax);
  CHECK(found.regions == StoreBlockers::kCheckedMax + 10);
}

}  // namespace
}  // namespace pd

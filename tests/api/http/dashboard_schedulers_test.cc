// What the dashboard says of the schedulers of a member that leads.
#include "api/http/dashboard_schedulers.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "api/http/dashboard_hot.h"
#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace api {
namespace {

using harness::Eventually;
using namespace std::chrono_literals;

constexpr const char* kLeaders = "balance-leader-scheduler";

struct Fixture {
  Fixture() { server.Fill(); }

  void Plan() {
    REQUIRE(server.cluster().HandleRegionReport(pd::test::ThreeVoters()));
    REQUIRE(Eventually([&] { return server.coordinator().planning(); }));
  }
  DashboardScheduler Find(const std::string& name) {
    for (DashboardScheduler& row : ReadSchedulers(server.coordinator())) {
      if (row.name == name) return std::move(row);
    }
    FAIL("no " << name);
    return {};
  }
  void Configure(const std::function<void(pd::ScheduleConfig&)>& change) {
    REQUIRE(server.config().Update([&](pd::OnlineConfig& online) -> pd::Result<void> {
      change(online.schedule);
      return {};
    }));
  }

  pd::test::Server server;
};

TEST_CASE("schedulers wait, are halted, paused, at their limit, disabled or run", "[dashboard]") {
  Fixture f;
  const DashboardScheduler waiting = f.Find(kLeaders);
  CHECK(waiting.status == "waiting");
  REQUIRE(waiting.refusals.size() == 1);
  CHECK(waiting.refusals[0].reason == "not-enough-regions");
  CHECK_FALSE(waiting.refusals[0].remedy.empty());
  CHECK_FALSE(waiting.ran_ms_ago.has_value());

  f.Plan();
  REQUIRE(Eventually([&] { return f.Find(kLeaders).ran_ms_ago.has_value(); }));
  CHECK(f.Find(kLeaders).status == "running");
  CHECK(f.Find(kLeaders).kind == "leader");
  CHECK(f.Find(kLeaders).limit == 4);

  f.Configure([](auto& schedule) { schedule.leader_schedule_limit = 0; });
  DashboardScheduler held = f.Find(kLeaders);
  CHECK(held.status == "limit");
  CHECK(held.limit == 0);
  REQUIRE(held.refusals.size() == 1);
  CHECK(held.refusals[0].text == "0 such operators run, 0 are allowed");
  CHECK(held.refusals[0].remedy == "wait, or raise leader-schedule-limit");
  CHECK_FALSE(held.refusals[0].store_id.has_value());
  CHECK(f.Find("balance-region-scheduler").status == "running");

  REQUIRE(f.server.coordinator().schedulers().Pause(kLeaders, 300));
  held = f.Find(kLeaders);
  CHECK(held.status == "paused");
  CHECK(held.resumes_in_ms.value_or(0) > 290'000);
  CHECK(held.resumes_in_ms.value_or(0) <= 300'000);
  CHECK(held.refusals.at(0).remedy == "resume balance-leader-scheduler, or wait");

  f.Configure([](auto& schedule) { schedule.halt_scheduling = true; });
  held = f.Find(kLeaders);
  CHECK(held.status == "halted");
  CHECK(held.resumes_in_ms.has_value());
  CHECK(held.refusals.at(0).remedy == "turn halt-scheduling off");

  REQUIRE(f.server.coordinator().schedulers().Remove(kLeaders));
  held = f.Find(kLeaders);
  CHECK(held.status == "disabled");
  CHECK(held.refusals.empty());
  CHECK(held.refusals_total == 0);
}

TEST_CASE("a scheduler tells what it did last, for which stores, and what stands in its way",
          "[dashboard]") {
  Fixture f;
  scheduler::GrantLeaderConfig grant;
  grant.stores[scheduler::StoreId{2}] = {scheduler::KeyRange{}};
  REQUIRE(f.server.coordinator().schedulers().Add(*scheduler::FindSchedulerType("grant-leader"),
                                                  grant));
  f.Plan();
  const char* const name = "grant-leader-scheduler";
  REQUIRE(Eventually([&] { return f.Find(name).proposed_last.has_value(); }));
  const DashboardScheduler did = f.Find(name);
  CHECK(did.store_ids == std::vector<uint64_t>{2});
  CHECK(did.proposed_total >= 1);
  CHECK(did.proposed_last->region_id == 101);
  CHECK(did.proposed_last->brief == "transfer leader: store 1 to 2");

  // The region has obeyed: there is none left to bring.
  scheduler::Region region = pd::test::ThreeVoters();
  region.leader = region.peers[1];
  REQUIRE(f.server.cluster().HandleRegionReport(region));
  REQUIRE(Eventually([&] {
    const DashboardScheduler row = f.Find(name);
    return row.proposed_latest == 0 && !row.refusals.empty() &&
           row.refusals[0].reason == "no-region";
  }));
  const DashboardScheduler idle = f.Find(name);
  CHECK(idle.status == "running");
  CHECK(idle.refusals[0].store_id == 2);
  CHECK(idle.refusals[0].text == "no fitting region found");
  CHECK(idle.refusals_total == idle.refusals.size());
  CHECK(idle.proposed_last->region_id == 101);
}

TEST_CASE("of many stores with one reason only some are listed", "[dashboard]") {
  Fixture f;
  scheduler::EvictLeaderConfig evict;
  for (uint64_t id = 10; id < 30; ++id) {
    evict.stores[scheduler::StoreId{id}] = {scheduler::KeyRange{}};
  }
  REQUIRE(f.server.coordinator().schedulers().Add(*scheduler::FindSchedulerType("evict-leader"),
                                                  evict));
  f.Plan();
  const char* const name = "evict-leader-scheduler";
  REQUIRE(Eventually([&] { return f.Find(name).refusals_total > 0; }));
  const DashboardScheduler row = f.Find(name);
  CHECK(row.refusals_total == 20);
  CHECK(row.refusals.size() == DashboardScheduler::kListed);
}

TEST_CASE("without a cluster there is nothing to tell", "[dashboard]") {
  pd::test::Server server;
  CHECK(ReadSchedulers(server.coordinator()).empty());
}

}  // namespace
}  // namespace api

// Schedulers that come and go, their settings and what they find, over a change of the PD leader.
#include "pd/dispatch/scheduler_table.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"
#include "tests/pd/dispatch/decisions_of.h"

namespace pd {
namespace {

using harness::Eventually;
using scheduler::Reason;
using scheduler::StoreId;
using test::Server;
using test::ThreeVoters;

TEST_CASE("settings of schedulers outlast the lead, pauses of stores follow them",
          "[coordinator]") {
  Server server;
  server.Fill();
  server.Report();
  SchedulerTable& table = server.coordinator().schedulers();
  CHECK(table.Running().size() == 5);
  scheduler::EvictLeaderConfig evict;
  evict.stores[StoreId{1}] = {scheduler::KeyRange{}};
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("evict-leader");
  REQUIRE(table.Add(type, evict));
  CHECK(table.Add(type, evict).error().code == ErrorCode::kAlreadyExists);
  REQUIRE(table.Remove("balance-region-scheduler"));
  CHECK(table.Remove("balance-region-scheduler").error().code == ErrorCode::kNotFound);
  const auto held = [&] { return server.cluster().stores().Find({1})->pauses.leader_transfer_in; };
  CHECK(Eventually([&] { return held() == 1; }));

  server.StopLeading();
  server.Lead();
  CHECK(table.Running().size() == 5);  // Four of the default ones and ours.
  const auto entry = table.Find("evict-leader-scheduler");
  REQUIRE(entry);
  CHECK(std::get<scheduler::EvictLeaderConfig>(entry->config).stores == evict.stores);
  CHECK_FALSE(table.Find("balance-region-scheduler"));

  server.Beat(1);
  server.Report();
  CHECK(Eventually([&] { return held() == 1; }));
  REQUIRE(table.Remove("evict-leader-scheduler"));
  CHECK(Eventually([&] { return held() == 0; }));
}

TEST_CASE("schedulers with names of their own outlast the lead", "[coordinator]") {
  Server server;
  server.Fill();
  server.Report();
  SchedulerTable& table = server.coordinator().schedulers();
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("scatter-range");
  const scheduler::ScatterRangeConfig first{"t1", {"a\xff", "b"}};
  REQUIRE(table.Add(type, first));
  REQUIRE(table.Add(type, scheduler::ScatterRangeConfig{"t2", {"c", ""}}));
  CHECK(table.Add(type, first).error().code == ErrorCode::kAlreadyExists);
  const auto rows = [&] {
    const auto online = server.config().online();
    return std::ranges::count(online->schedule.schedulers, "scatter-range", &SchedulerEntry::type);
  };
  CHECK(rows() == 2);
  const auto runs = [&](const char* name) {
    return test::DecisionsOf(server.coordinator(), name).has_value();
  };
  REQUIRE(Eventually([&] { return runs("scatter-range-scheduler-t2"); }));

  server.StopLeading();
  server.Lead();
  const auto entry = table.Find("scatter-range-scheduler-t1");
  REQUIRE(entry);
  CHECK(entry->type == &type);
  CHECK(std::get<scheduler::ScatterRangeConfig>(entry->config).range == first.range);
  CHECK_FALSE(table.Find("scatter-range-scheduler"));
  REQUIRE(table.Remove("scatter-range-scheduler-t1"));
  CHECK_FALSE(table.Find("scatter-range-scheduler-t1"));
  CHECK(table.Find("scatter-range-scheduler-t2"));
  CHECK(rows() == 1);
  server.StopLeading();
  server.Lead();
  CHECK_FALSE(table.Find("scatter-range-scheduler-t1"));
  CHECK(table.Find("scatter-range-scheduler-t2"));
  // Nothing is kept of names that are gone: in time there may be any number of them.
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  server.Report();
  REQUIRE(Eventually([&] { return runs("scatter-range-scheduler-t2"); }));
  REQUIRE(table.Remove("scatter-range-scheduler-t2"));
  CHECK(Eventually([&] { return !runs("scatter-range-scheduler-t2"); }));
  CHECK(Eventually(
      [&] { return server.Metrics().find("scatter-range-scheduler-t2") == std::string::npos; }));
}

TEST_CASE("a scheduler too many is refused", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("scatter-range");
  const size_t room = SchedulerTable::kSchedulersMax - table.All().size();
  for (size_t i = 0; i < room; ++i) {
    REQUIRE(table.Add(type, scheduler::ScatterRangeConfig{std::to_string(i), {}}));
  }
  CHECK(table.Add(type, scheduler::ScatterRangeConfig{"more", {}}).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("what a scheduler finds outlasts the lead", "[coordinator]") {
  Server server;
  server.Fill();
  server.Report();
  SchedulerTable& table = server.coordinator().schedulers();
  const auto evicted = [&] {
    const auto entry = table.Find("evict-slow-store-scheduler");
    return entry ? std::get<scheduler::EvictSlowStoreConfig>(entry->config).evicted
                 : std::vector<StoreId>{};
  };
  const auto held = [&] { return server.cluster().stores().Find({1})->pauses.slow_evicted; };
  StoreTable::Heartbeat slow;
  slow.id = {1};
  slow.stats.slow_score = 100;
  REQUIRE(server.cluster().HandleStoreReport(slow));
  REQUIRE(Eventually([&] { return evicted() == std::vector<StoreId>{{1}} && held() == 1; }));
  const std::string series =
      R"(pd_scheduler_evicted_slow_store_status{store="1",slow_type="disk"} 1)";
  const auto shown = [&] { return server.Metrics().find(series) != std::string::npos; };
  CHECK(Eventually(shown));

  // The next PD leader has not seen the score: it goes on with the store that it reads of.
  server.StopLeading();
  CHECK(Eventually([&] {
    const std::string metrics = server.Metrics();
    return metrics.find("pd_scheduler_evicted_slow_store_status{") == std::string::npos &&
           metrics.find("pd_scheduler_status{") == std::string::npos &&
           metrics.find("pd_checker_region_list{") == std::string::npos;
  }));
  server.Lead();
  CHECK(evicted() == std::vector<StoreId>{{1}});
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  server.Report();
  CHECK(Eventually([&] { return held() == 1; }));
  // Until it is fast for long enough, by a clock of its own.
  REQUIRE(table.Update("evict-slow-store-scheduler", [](auto& config) -> Result<void> {
    std::get<scheduler::EvictSlowStoreConfig>(config).recovery_duration_s = 0;
    return {};
  }));
  CHECK(Eventually([&] { return evicted().empty() && held() == 0 && !shown(); }));
}

TEST_CASE("planning goes on while a finding waits for the disk", "[coordinator]") {
  Server server;
  server.Fill();
  server.Report();
  SchedulerTable& table = server.coordinator().schedulers();
  REQUIRE(Eventually([&] { return server.coordinator().planning(); }));
  const auto evicted = [&] {
    const auto entry = table.Find("evict-slow-store-scheduler");
    return std::get<scheduler::EvictSlowStoreConfig>(entry->config).evicted;
  };
  const auto runs = [&] {
    return test::RunsOf(server.coordinator(), "evict-slow-store-scheduler");
  };
  {
    test::StalledDisk stalled(server.database());
    StoreTable::Heartbeat slow;
    slow.id = {1};
    slow.stats.slow_score = 100;
    REQUIRE(server.cluster().HandleStoreReport(slow));
    CHECK(
        Eventually([&] { return server.cluster().stores().Find({1})->pauses.slow_evicted == 1; }));
    CHECK(evicted().empty());
    const uint64_t before = runs();
    CHECK(Eventually([&] { return runs() > before; }));
    CHECK(evicted().empty());
  }
  CHECK(Eventually([&] { return evicted() == std::vector<StoreId>{{1}}; }));
}

TEST_CASE("a scheduler that was removed does not come back with what it found", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const char* const name = "evict-slow-trend-scheduler";
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType(name);
  const std::string key = "/pd/7/scheduler_config/" + std::string(name);
  const auto stored = [&] { return server.meta().Get(key)->has_value(); };
  const scheduler::EvictSlowTrendConfig found{1800, {StoreId{1}}};
  REQUIRE(table.Add(type, DefaultSchedulerConfig(type)));
  const auto ran = table.Find(name);
  REQUIRE(ran);
  SECTION("nor does another one of that name take it") {
    REQUIRE(table.Remove(name));
    CHECK(table.Keep(*ran, found).error().code == ErrorCode::kNotFound);
    CHECK_FALSE(stored());
    REQUIRE(table.Add(type, DefaultSchedulerConfig(type)));
    CHECK(table.Keep(*ran, found).error().code == ErrorCode::kNotFound);
    CHECK(std::get<scheduler::EvictSlowTrendConfig>(table.Find(name)->config).evicted.empty());
  }
  SECTION("also when whoever removed it was told that there was no time") {
    REQUIRE(server.meta().Delete(key, "", harness::Millis(3000)));
    SECTION("found") { CHECK(table.Keep(*ran, found).error().code == ErrorCode::kNotFound); }
    SECTION("set") {
      const auto set = table.Update(name, [](auto& config) -> Result<void> {
        std::get<scheduler::EvictSlowTrendConfig>(config).recovery_duration_s = 1;
        return {};
      });
      CHECK(set.error().code == ErrorCode::kNotFound);
    }
    CHECK_FALSE(stored());
    CHECK_FALSE(table.Find(name));
  }
}

TEST_CASE("a scheduler whose removal cannot be listed is still there", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("label");
  REQUIRE(table.Add(type, DefaultSchedulerConfig(type)));
  server.member().fail_config = true;
  CHECK_FALSE(table.Remove("label-scheduler"));
  server.member().fail_config = false;
  CHECK(server.meta().Get("/pd/7/scheduler_config/label-scheduler")->has_value());
  CHECK(table.Find("label-scheduler"));
  CHECK(table.Remove("label-scheduler"));
}

TEST_CASE("a change that was given up half done is done whole, and can be undone",
          "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const char* const name = "evict-leader-scheduler";
  const auto type = scheduler::FindSchedulerType("evict-leader");
  scheduler::EvictLeaderConfig evict;
  evict.stores[StoreId{1}] = {scheduler::KeyRange{}};
  const auto stores = [&] {
    const auto entry = table.Find(name);
    return entry ? std::get<scheduler::EvictLeaderConfig>(entry->config).stores.size() : 0;
  };
  SECTION("an addition") {
    server.member().fail_config = true;  // What it has is written, that it is listed is not.
    CHECK_FALSE(table.Add(*type, evict));
    CHECK_FALSE(table.Find(name));
    server.member().fail_config = false;
    CHECK(Eventually([&] { return stores() == 1; }));
    CHECK(table.Remove(name));
    server.StopLeading();
    server.Lead();
    CHECK_FALSE(table.Find(name));
  }
  SECTION("other settings") {
    REQUIRE(table.Add(*type, evict));
    server.member().fail_config = true;
    CHECK_FALSE(table.Update(name, [](auto& config) -> Result<void> {
      std::get<scheduler::EvictLeaderConfig>(config).stores[StoreId{2}] = {scheduler::KeyRange{}};
      return {};
    }));
    CHECK(stores() == 1);
    server.member().fail_config = false;
    // By the one who comes next, or before.
    REQUIRE(table.Update(name, [](auto& config) -> Result<void> {
      CHECK(std::get<scheduler::EvictLeaderConfig>(config).stores.erase(StoreId{2}) == 1);
      return {};
    }));
    server.StopLeading();
    server.Lead();
    CHECK(stores() == 1);
  }
}

TEST_CASE("what is not settled is the business of who leads, as long as that lasts") {
  test::FakeDatabase database;
  test::OneMember member(database);
  int calls = 0;
  SchedulerTable table({member.meta(), member.config(), member.moved,
                        [](std::string_view suffix) { return "/pd/7" + std::string(suffix); },
                        [] {}, [&] { ++calls; }});
  REQUIRE(table.Load(member.term()));
  scheduler::EvictLeaderConfig evict;
  evict.stores[StoreId{1}] = {scheduler::KeyRange{}};
  member.fail_config = true;
  CHECK_FALSE(table.Add(*scheduler::FindSchedulerType("evict-leader"), evict));
  CHECK(calls == 1);
  CHECK_FALSE(table.Settle());
  CHECK(calls == 2);
  table.Clear();
  CHECK(table.Settle().error().code == ErrorCode::kNotLeader);
  CHECK(calls == 2);
}

TEST_CASE("a job that was cancelled while findings waited stays listed", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("balance-range");
  REQUIRE(table.Add(type, DefaultSchedulerConfig(type)));
  const auto ran = table.Find(type.name);
  REQUIRE(ran);
  const auto jobs = [](scheduler::SchedulerConfig& config) -> scheduler::RangeJobs& {
    return std::get<scheduler::BalanceRangeConfig>(config).jobs;
  };
  const int64_t now = 1'700'000'000'000'000'000;
  constexpr int64_t kEightDaysNs = int64_t{8} * 24 * 3600 * 1'000'000'000;
  REQUIRE(table.Update(type.name, [&](auto& config) -> Result<void> {
    scheduler::RangeJob job;
    job.alias = "new";
    job.ranges = {{"a", "b"}};
    CHECK(AddRangeJob(jobs(config), job, now));
    CHECK(CancelRangeJob(jobs(config), jobs(config).back().id, now));
    return {};
  }));
  // The run knew of none.
  scheduler::SchedulerConfig kept = table.Find(type.name)->config;
  KeepFindings(kept, ran->config, now);
  CHECK(jobs(kept).size() == 1);
  KeepFindings(kept, ran->config, now + kEightDaysNs);
  CHECK(jobs(kept).empty());
}

TEST_CASE("what people want of schedulers is told from what these find", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const char* const name = "evict-slow-store-scheduler";
  const uint64_t all = table.version();
  const uint64_t wishes = table.wishes_version();
  auto found = std::get<scheduler::EvictSlowStoreConfig>(table.Find(name)->config);
  found.evicted = {StoreId{1}};
  REQUIRE(table.Keep(*table.Find(name), found));
  CHECK(table.version() > all);
  CHECK(table.wishes_version() == wishes);
  // What is as it was is no change.
  const uint64_t kept = table.version();
  REQUIRE(table.Update(name, [](auto&) -> Result<void> { return {}; }));
  CHECK(table.version() == kept);
  REQUIRE(table.Update(name, [](auto& config) -> Result<void> {
    std::get<scheduler::EvictSlowStoreConfig>(config).batch = 5;
    return {};
  }));
  CHECK(table.wishes_version() > wishes);
}

TEST_CASE("a job of balance-range outlasts the lead, and has its range to itself",
          "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  SchedulerTable& table = server.coordinator().schedulers();
  scheduler::RangeJob job;
  job.ranges = {{}};
  job.alias = "t";
  scheduler::BalanceRangeConfig config;
  REQUIRE(AddRangeJob(config.jobs, job, 0));
  REQUIRE(table.Add(*scheduler::FindSchedulerType("balance-range"), config));
  const auto status = [&] {
    const auto entry = table.Find("balance-range-scheduler");
    return std::get<scheduler::BalanceRangeConfig>(entry->config).jobs.front().status;
  };
  // A single region is spread as it is.
  REQUIRE(Eventually([&] { return status() == scheduler::RangeJobStatus::kFinished; }));
  REQUIRE(table.Update("balance-range-scheduler", [](auto& kept) -> Result<void> {
    auto& first = std::get<scheduler::BalanceRangeConfig>(kept).jobs.front();
    first.status = scheduler::RangeJobStatus::kRunning;
    return {};
  }));
  server.StopLeading();
  server.Lead();
  CHECK(status() == scheduler::RangeJobStatus::kRunning);
  // One that runs keeps the others away, as long as it does.
  REQUIRE(table.Pause("balance-range-scheduler", 1000));
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  CHECK(Eventually([&] {
    const auto source = test::DecisionsOf(server.coordinator(), "balance-leader-scheduler");
    return source && test::Says(*source, Reason::kRangesReserved);
  }));
  REQUIRE(table.Pause("balance-range-scheduler", 0));
  CHECK(Eventually([&] { return status() == scheduler::RangeJobStatus::kFinished; }));
}

}  // namespace
}  // namespace pd

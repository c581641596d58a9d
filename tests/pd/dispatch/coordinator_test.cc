// The coordinator on a group of one: what it waits for, what it starts, what a change of leader leaves and takes.
#include "pd/coordinator.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/dispatch/replication_state.h"
#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"
#include "tests/pd/dispatch/decisions_of.h"
#include "tests/pd/dispatch/dispatch_fakes.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::Server;
using test::ThreeVoters;

using namespace std::chrono_literals;
using scheduler::Reason;
using scheduler::StoreId;

bool AnySays(const Coordinator& coordinator, Reason reason) {
  return std::ranges::any_of(coordinator.decisions().All(),
                             [&](const auto& source) { return test::Says(source, reason); });
}

TEST_CASE("planning waits for the regions, repairs, and is forgotten with the lead",
          "[coordinator]") {
  Server server;
  server.Fill();
  CHECK_FALSE(server.coordinator().planning());
  server.Report();
  REQUIRE(Eventually([&] { return server.coordinator().operators().running_count() == 1; }));
  const auto info = server.coordinator().operators().Find({101});
  REQUIRE(info);
  CHECK(info->op.plan().desc == "add-rule-peer");
  CHECK(info->op.plan().NewPeerStores().empty());                 // Admission has drawn the id.
  CHECK(Eventually([&] { return server.commands.count >= 1; }));  // It is sent after it counts.

  server.StopLeading();
  CHECK_FALSE(server.coordinator().planning());
  CHECK(server.coordinator().operators().running_count() == 0);
  CHECK(server.coordinator().schedulers().Running().empty());

  // The next lead plans again from what the stores say then.
  server.Lead();
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  server.Report();
  CHECK(Eventually([&] { return server.coordinator().operators().running_count() == 1; }));
}

Result<void> SetRule(Server& server, const std::string& id, uint64_t count) {
  scheduler::Rule rule;
  rule.group_id = "g";
  rule.id = id;
  rule.count = count;
  return server.cluster().rules().Change([&](PlacementRules::Editor& editor) { editor.Set(rule); });
}

TEST_CASE("regions under changed rules are looked at, and said to lack something",
          "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  Coordinator& coordinator = server.coordinator();
  REQUIRE(Eventually([&] { return coordinator.planning(); }));
  const auto state = [&] {
    Replication found = Replication::kComplete;
    coordinator.Look([&](const scheduler::PlanContext& context) {
      found = ReplicationOf(context, server.cluster().regions(), {"", ""});
    });
    return found;
  };
  CHECK(state() == Replication::kComplete);
  REQUIRE(SetRule(server, "more", 1));
  CHECK(state() == Replication::kStuck);  // There is no fourth store.
  REQUIRE(Eventually([&] { return AnySays(coordinator, Reason::kNoTarget); }));
  server.AddStore(4);
  CHECK(state() == Replication::kInProgress);
  REQUIRE(Eventually([&] {
    const auto info = coordinator.operators().Find({101});
    return info && info->op.plan().desc == "add-rule-peer";
  }));
  // Turned off, the settings say what there is to be.
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.replication.enable_placement_rules = false;
    return {};
  }));
  CHECK(state() == Replication::kComplete);
}

TEST_CASE("planning knows at what sizes the stores split regions", "[coordinator]") {
  Server server;
  server.Fill();
  StoreConfig stores;
  stores.bounds.max_size_mib = 384;
  stores.bounds.split_size_mib = 256;
  stores.bounds.max_keys = 3'840'000;
  stores.bounds.split_keys = 2'560'000;
  server.cluster().SetStoreConfig(stores);
  server.coordinator().Look([&](const scheduler::PlanContext& context) {
    CHECK(context.options.region_bounds == stores.bounds);
  });
}

TEST_CASE("without placement rules the replica checker repairs, as far as it may",
          "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.replication.enable_placement_rules = false;
    online.schedule.enable_make_up_replica = false;
    return {};
  }));
  server.Report();
  Coordinator& coordinator = server.coordinator();
  CHECK(Eventually([&] { return AnySays(coordinator, Reason::kSwitchedOff); }));
  CHECK(coordinator.operators().running_count() == 0);
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.schedule.enable_make_up_replica = true;
    return {};
  }));
  CHECK(Eventually([&] {
    const auto info = coordinator.operators().Find({101});
    return info && info->op.plan().desc == "make-up-replica";
  }));
}

TEST_CASE("without placement rules a range says what it lacks, too", "[coordinator]") {
  Server server;
  server.Fill();
  const auto set = [&](uint64_t replicas) {
    REQUIRE(server.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.replication.enable_placement_rules = false;
      online.replication.max_replicas = replicas;
      return {};
    }));
  };
  const auto state = [&] {
    Replication found = Replication::kComplete;
    server.coordinator().Look([&](const scheduler::PlanContext& context) {
      found = ReplicationOf(context, server.cluster().regions(), {"", ""});
    });
    return found;
  };
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  set(3);
  CHECK(state() == Replication::kComplete);
  set(4);
  CHECK(state() == Replication::kStuck);  // There is no fourth store.
  server.AddStore(4);
  CHECK(state() == Replication::kInProgress);
}

TEST_CASE("what an operator sends counts until it ends, and not for the next leader",
          "[coordinator]") {
  Server server;
  server.Fill();
  const auto set = [&](bool halt) {
    REQUIRE(server.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.schedule.store_limit_version = "v2";
      online.schedule.halt_scheduling = halt;
      return {};
    }));
  };
  set(false);
  server.Report();
  Coordinator& coordinator = server.coordinator();
  const auto windows = [&] { return coordinator.limits().WindowsOf({1}).value(); };
  // The leader of the region has to send it.
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 1; }));
  CHECK(windows().total_used_mib() == 96);
  set(true);
  REQUIRE(Eventually([&] { return AnySays(coordinator, Reason::kHalted); }));
  CHECK(coordinator.operators().Cancel({101}, scheduler::CancelReason::kAdminStop));
  CHECK(windows().total_used_mib() == 0);

  scheduler::Influence sending;
  sending.At({1}).cost[static_cast<size_t>(scheduler::LimitType::kSendSnapshot)] = 96;
  coordinator.limits().TakeAnyway(sending, scheduler::Priority::kLow, {});
  coordinator.limits().Feedback({1}, std::vector<SnapshotTiming>{{10, 10, 20}});
  CHECK(windows().capacity_mib() == 600);
  server.StopLeading();
  server.Lead();
  CHECK(Eventually([&] { return windows().capacity_mib() == 100; }));
  CHECK(windows().total_used_mib() == 0);
}

TEST_CASE("a region that lacks peers is on the list of those looked at first", "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  const auto says = [&](const std::string& text) {
    return Eventually([&] { return server.Metrics().find(text) != std::string::npos; });
  };
  CHECK(says("pd_checker_region_list{type=\"priority_list\"} 0"));
  REQUIRE(SetRule(server, "more", 1));  // There is no fourth store.
  CHECK(says("pd_checker_region_list{type=\"priority_list\"} 1"));
  REQUIRE(server.cluster().rules().Change([](PlacementRules::Editor& editor) {
    editor.Delete({"g", "more"});
  }));
  CHECK(says("pd_checker_region_list{type=\"priority_list\"} 0"));
}

TEST_CASE("without rules in force nothing is planned, and says why", "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(SetRule(server, "a", 3));
  REQUIRE(server.cluster().rules().Change([](PlacementRules::Editor& editor) {
    editor.Delete({"pd", "default"});
  }));
  REQUIRE(server.meta().Put("/pd/7/rules/67-62", "{", 3s));
  server.StopLeading();
  server.Lead();
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  server.Report();
  CHECK(Eventually([&] { return AnySays(server.coordinator(), Reason::kNoRules); }));
  CHECK(server.coordinator().operators().running_count() == 0);
}

/// A coordinator whose turns the test takes, at a time that it sets; it plans for one store with one region.
struct ByTurns {
  ByTurns() {
    REQUIRE(coordinator->OnLeaderStart(member.term()));
    scheduler::Region region = ThreeVoters();
    region.peers.resize(1);
    region.leader = {};
    REQUIRE(member.cluster().Bootstrap(test::MakeStore(1), region));
    region.leader = region.peers.front();
    REQUIRE(member.cluster().HandleRegionReport(region));
    coordinator->Step();
    REQUIRE(coordinator->planning());
  }
  ~ByTurns() { coordinator->OnLeaderStop(); }

  static test::MemberSetup Setup() {
    test::MemberSetup setup;
    setup.drive = Cluster::Drive::kByHand;
    setup.stands_at = std::chrono::seconds(1000);
    return setup;
  }

  test::FakeDatabase database;
  MetricsRegistry metrics;
  test::CountedCommands commands;
  std::unique_ptr<Coordinator> coordinator;
  test::OneMember member{database,
                         [this](test::OneMember& made) {
                           coordinator = test::MakeCoordinator(made, metrics, commands);
                         },
                         Setup()};
};

TEST_CASE("a clock that jumps in the midst of a turn does not put the next one off",
          "[coordinator]") {
  ByTurns turns;
  turns.member.moved.on_unix_nanos = [&] {
    turns.member.moved.StandAt(std::chrono::seconds(5000));
  };
  CHECK(turns.coordinator->Step() <= Millis{500});
  turns.member.moved.on_unix_nanos = nullptr;
}

TEST_CASE("who may not run is left alone until that changes", "[coordinator]") {
  ByTurns turns;
  const std::string name = "balance-leader-scheduler";
  SchedulerTable& table = turns.coordinator->schedulers();
  const auto at = [&](Nanos time) {
    turns.member.moved.StandAt(std::chrono::seconds(1000) + time);
  };
  const auto limit = [&](uint64_t count) {
    REQUIRE(turns.member.config().Update([&](OnlineConfig& online) -> Result<void> {
      online.schedule.leader_schedule_limit = count;
      return {};
    }));
  };
  const auto step = [&] {
    const uint64_t before = test::RunsOf(*turns.coordinator, name);
    turns.coordinator->Step();
    return test::RunsOf(*turns.coordinator, name) - before;
  };
  SECTION("a scheduler that is paused, until the pause is over") {
    REQUIRE(table.Pause(name, 5));
    CHECK(step() == 1);  // It says that it is paused.
    at(4s);
    CHECK(step() == 0);
    at(5s);
    CHECK(step() == 1);
  }
  SECTION("or ended") {
    REQUIRE(table.Pause(name, 100'000));
    CHECK(step() == 1);
    at(4s);
    CHECK(step() == 0);
    REQUIRE(table.Pause(name, 0));
    CHECK(step() == 1);
  }
  SECTION("one whose limit is 0, until it is another") {
    limit(0);
    CHECK(step() == 1);
    at(4s);
    CHECK(step() == 0);
    limit(4);
    CHECK(step() == 1);
  }
}

TEST_CASE("a peer that got its data back does not lay it down again at once", "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.config().Update([](OnlineConfig& online) -> Result<void> {
    online.schedule.enable_witness = true;
    return {};
  }));
  scheduler::Region region = ThreeVoters();
  region.peers.back().witness = true;
  REQUIRE(server.cluster().HandleRegionReport(region));
  Coordinator& coordinator = server.coordinator();
  REQUIRE(Eventually([&] {
    const auto info = coordinator.operators().Find({101});
    return info && info->op.plan().desc == "fix-non-witness-peer";
  }));
  region.peers.back().witness = false;
  region.epoch.conf_ver += 1;
  REQUIRE(server.cluster().HandleRegionReport(region));
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 0; }));
  REQUIRE(server.cluster().rules().Change([](PlacementRules::Editor& editor) {
    scheduler::Rule rule = scheduler::DefaultRule(2, {}, "");
    editor.Set(rule);
    rule.id = "witness";
    rule.count = 1;
    rule.witness = true;
    editor.Set(rule);
  }));
  CHECK(Eventually([&] { return AnySays(coordinator, Reason::kRegionWitnessSwitched); }));
  CHECK(coordinator.operators().running_count() == 0);

  // A long time later it may.
  server.Pass(std::chrono::hours(1));
  for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
  CHECK(Eventually([&] {
    const auto info = coordinator.operators().Find({101});
    return info && info->op.plan().desc == "fix-witness-peer";
  }));
}

TEST_CASE("damaged peers are taken off once, however often they are named", "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  Coordinator& coordinator = server.coordinator();

  const auto first = coordinator.RemovePeers({3}, {{101}, {102}});
  CHECK(first.planned == 1);
  CHECK(first.not_held == 1);
  CHECK(first.refused == 0);
  const auto running = coordinator.operators().Find({101});
  REQUIRE(running);
  CHECK(running->op.plan().desc == "admin-remove-peer");

  const auto again = coordinator.RemovePeers({3}, {{101}});
  CHECK(again.under_way == 1);
  CHECK(again.planned + again.refused + again.not_held == 0);
  for (const DecisionLog::Source& source : coordinator.decisions().All()) {
    for (const DecisionLog::Line& line : source.lines) {
      CHECK(line.refusal.reason != Reason::kOperatorExists);
    }
  }
  // Another store's peer is another matter, which the running operator refuses.
  const auto other = coordinator.RemovePeers({2}, {{101}});
  CHECK(other.refused == 1);
  CHECK(other.first_refused == scheduler::RegionId{101});
  CHECK_FALSE(other.first_error.empty());

  REQUIRE(coordinator.operators().Cancel({101}, scheduler::CancelReason::kAdminStop));
  CHECK(coordinator.RemovePeers({3}, {{101}}).planned == 1);
}

TEST_CASE("a region is left alone as long as it is labelled so", "[coordinator]") {
  Server server;
  server.Fill();
  RegionLabels& labels = server.cluster().labels();
  scheduler::LabelRule rule;
  rule.id = "keep";
  rule.labels = {{"schedule", "deny", "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"", ""}, "", ""}};
  REQUIRE(labels.Apply({{rule}, {}}));
  scheduler::GrantLeaderConfig grant;
  grant.stores[StoreId{2}] = {scheduler::KeyRange{}};
  Coordinator& coordinator = server.coordinator();
  REQUIRE(coordinator.schedulers().Add(*scheduler::FindSchedulerType("grant-leader"), grant));
  REQUIRE(server.cluster().HandleRegionReport(ThreeVoters()));
  CHECK(Eventually([&] { return AnySays(coordinator, Reason::kRegionScheduleDenied); }));
  CHECK(coordinator.operators().running_count() == 0);

  REQUIRE(labels.Delete("keep"));
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 1; }));
  CHECK(coordinator.operators().Find({101})->op.plan().desc == "grant-leader");
}

TEST_CASE("small neighbours are merged once splits have been known for long enough",
          "[coordinator]") {
  Server server;
  server.Fill();
  const auto report = [&](uint64_t id, const char* start, const char* end, uint64_t version) {
    scheduler::Region region = ThreeVoters();
    region.id = {id};
    for (scheduler::Peer& peer : region.peers) peer.id.value += id * 100;
    region.leader = region.peers.front();
    region.start_key = start;
    region.end_key = end;
    region.epoch.version = version;
    region.size_mib = 10;
    REQUIRE(server.cluster().HandleRegionReport(region));
  };
  report(101, "", "m", 2);
  report(102, "m", "", 2);
  Coordinator& coordinator = server.coordinator();
  CHECK(Eventually([&] { return AnySays(coordinator, Reason::kKnownTooShort); }));
  CHECK(coordinator.operators().running_count() == 0);

  REQUIRE(server.config().Update([](OnlineConfig& config) -> Result<void> {
    config.schedule.split_merge_interval = 1ms;
    return {};
  }));
  REQUIRE(Eventually([&] { return coordinator.operators().running_count() == 2; }));
  CHECK(coordinator.operators().Find({101})->op.plan().desc == "merge-region");
  const bool into_101 =
      coordinator.operators().Find({101})->op.plan().brief == "merge: region 102 to 101";
  report(into_101 ? 101 : 102, "", "", 3);
  CHECK(coordinator.operators().running_count() == 0);
  CHECK(server.cluster().regions().size() == 1);
}

TEST_CASE("a pause of a checker goes with the lead", "[coordinator]") {
  Server server;
  server.coordinator().PauseChecker(scheduler::CheckerKind::kRule, 1000);
  CHECK(server.coordinator().IsCheckerPaused(scheduler::CheckerKind::kRule));
  server.StopLeading();
  server.Lead();
  CHECK_FALSE(server.coordinator().IsCheckerPaused(scheduler::CheckerKind::kRule));
}

/// Whether the checkers and all running schedulers say this, and nothing else.
bool AllSay(Coordinator& coordinator, const scheduler::Refusal& refusal) {
  std::set<std::string> saying;
  for (const DecisionLog::Source& source : coordinator.decisions().All()) {
    if (source.lines.size() == 1 && source.lines.front().refusal == refusal) {
      saying.insert(source.name);
    } else if (!source.lines.empty()) {
      return false;
    }
  }
  std::set<std::string> expected{"checkers"};
  for (const auto& entry : coordinator.schedulers().Running()) expected.insert(entry.type->name);
  return saying == expected;
}

TEST_CASE("what keeps all planning from going on is said, and only as long as it does",
          "[coordinator]") {
  Server server;
  server.Fill();
  Coordinator& coordinator = server.coordinator();
  // One region is known, none has been heard of.
  CHECK(Eventually([&] {
    return AllSay(coordinator, {Reason::kNotEnoughRegions, {}, {}, 0, 1, {}});
  }));
  server.Report();
  REQUIRE(Eventually([&] { return coordinator.planning(); }));
  CHECK(Eventually([&] { return !AnySays(coordinator, Reason::kNotEnoughRegions); }));

  const auto halt = [&](bool on) {
    REQUIRE(coordinator.config().Update([&](OnlineConfig& config) -> Result<void> {
      config.schedule.halt_scheduling = on;
      return {};
    }));
  };
  halt(true);
  CHECK(Eventually([&] { return AllSay(coordinator, {Reason::kHalted, {}, {}, 0, 0, {}}); }));
  halt(false);
  CHECK(Eventually([&] { return !AnySays(coordinator, Reason::kHalted); }));
}

TEST_CASE("a store that lacks reports is named while the leader listens", "[coordinator]") {
  Server server;
  server.Fill();
  server.Beat(2, /*regions=*/20);
  server.Report();
  const scheduler::Refusal lack{Reason::kNotEnoughRegions,     StoreId{2}, {}, 0, 18,
                                "those with a peer on store 2"};
  CHECK(Eventually([&] { return AllSay(server.coordinator(), lack); }));
  CHECK_FALSE(server.coordinator().planning());
}

}  // namespace
}  // namespace pd

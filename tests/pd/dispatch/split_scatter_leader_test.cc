// The parts of splits for load on a leader: from the store's question to the operator, and what stops it.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using harness::Eventually;
using scheduler::SplitReason;
using test::Server;
using test::ThreeVoters;

/// Five stores and region 101 on the first three, not yet reported. Nothing is balanced.
struct Leader {
  Leader() {
    server.Fill();
    for (const uint64_t id : {4U, 5U}) server.AddStore(id);
    Set([](OnlineConfig& online) {
      online.schedule.leader_schedule_limit = 0;
      online.schedule.region_schedule_limit = 0;
      online.schedule.merge_schedule_limit = 0;
      online.schedule.default_store_limit = {6000, 6000};
    });
  }

  void Set(void (*change)(OnlineConfig&)) {
    REQUIRE(server.config().Update([&](OnlineConfig& online) -> Result<void> {
      change(online);
      return {};
    }));
  }
  void Report() { REQUIRE(server.cluster().HandleRegionReport(ThreeVoters())); }
  /// The store asks for one new region.
  void Ask(SplitReason reason) {
    const auto splits = server.cluster().AskSplit(ThreeVoters(), 1, reason);
    REQUIRE(splits);
    new_region = {splits->front().region_id};
  }
  /// It has split.
  void ReportSplit() { test::ReportSplit(server.cluster(), new_region); }
  [[nodiscard]] bool Planning() {
    return Eventually([this] { return server.coordinator().planning(); });
  }
  /// The plan for the first of the two parts; the other then is where it belongs.
  [[nodiscard]] std::optional<scheduler::Proposal> Scattered() {
    std::vector<OperatorInfo> running;
    static_cast<void>(Eventually([&] {
      running = server.coordinator().operators().Running();
      return !running.empty();
    }));
    if (running.size() != 1) return {};
    return running.front().op.plan();
  }
  [[nodiscard]] bool Says(const std::string& text) {
    return Eventually([&] { return server.Metrics().find(text) != std::string::npos; });
  }
  [[nodiscard]] bool CheckersSay(scheduler::Reason reason) {
    return Eventually([&] {
      for (const DecisionLog::Source& source : server.coordinator().decisions().All()) {
        if (source.name != "checkers") continue;
        for (const auto& line : source.lines) {
          if (line.refusal.reason == reason) return true;
        }
      }
      return false;
    });
  }

  /// All as it should be, the parts wait.
  void BeginSplit() {
    Report();
    Ask(SplitReason::kLoad);
    REQUIRE(Says("pd_checker_split_scatter_pending 2"));
  }

  Server server;
  scheduler::RegionId new_region;
};

TEST_CASE("a split for load ends with its parts apart", "[split_scatter]") {
  Leader leader;
  leader.Report();
  leader.Ask(SplitReason::kLoad);
  leader.ReportSplit();
  const auto plan = leader.Scattered();
  REQUIRE(plan);
  CHECK(plan->desc == "split-scatter-region");
  CHECK(plan->brief == "mv peer: store [1 2] to [4 5]");
  CHECK(KindText(plan->kind) == "region,leader,split-scatter");
  CHECK(plan->group == "split-scatter-101-" + std::to_string(leader.new_region.value));
  CHECK(leader.Says("pd_checker_event_count{type=\"split_scatter\",name=\"new-operator\"} 1"));
}

TEST_CASE("a split for its size leaves the parts together", "[split_scatter]") {
  Leader leader;
  leader.Report();
  leader.Ask(SplitReason::kSize);
  leader.ReportSplit();
  REQUIRE(leader.Planning());
  CHECK(leader.Says("pd_checker_split_scatter_pending 0"));
  CHECK(leader.server.coordinator().operators().running_count() == 0);
}

TEST_CASE("parts wait until planning has begun", "[split_scatter]") {
  Leader leader;
  leader.Ask(SplitReason::kLoad);
  CHECK_FALSE(leader.server.coordinator().planning());
  leader.ReportSplit();
  REQUIRE(leader.Planning());
  CHECK(leader.Scattered());
}

TEST_CASE("while scheduling is halted parts wait", "[split_scatter]") {
  Leader leader;
  leader.BeginSplit();
  leader.Set([](OnlineConfig& online) { online.schedule.halt_scheduling = true; });
  REQUIRE(leader.CheckersSay(scheduler::Reason::kHalted));
  leader.ReportSplit();
  leader.server.Pass(2s);  // The second for which it may have paused is over.
  const int64_t before = leader.server.coordinator().decisions().All().back().unix_ns;
  REQUIRE(Eventually([&] {  // And another turn has begun since.
    return leader.server.coordinator().decisions().All().back().unix_ns > before + 1;
  }));
  CHECK(leader.server.coordinator().operators().running_count() == 0);
  leader.Set([](OnlineConfig& online) { online.schedule.halt_scheduling = false; });
  CHECK(leader.Scattered());
}

TEST_CASE("a part that may not move now is said and comes again", "[split_scatter]") {
  Leader leader;
  scheduler::LabelRule rule;
  rule.id = "keep";
  rule.labels = {{"schedule", "deny", "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"", ""}, "", ""}};
  REQUIRE(leader.server.cluster().labels().Apply({{rule}, {}}));
  leader.Report();
  leader.Ask(SplitReason::kLoad);
  leader.ReportSplit();
  CHECK(leader.Says(
      "pd_checker_event_count{type=\"split_scatter\",name=\"region-schedule-denied\"}"));
  CHECK(leader.CheckersSay(scheduler::Reason::kRegionScheduleDenied));
  CHECK(leader.server.coordinator().operators().running_count() == 0);
  REQUIRE(leader.server.cluster().labels().Delete("keep"));
  leader.server.Pass(1s);
  for (const uint64_t id : {1U, 2U, 3U, 4U, 5U}) leader.server.Beat(id);
  CHECK(leader.Scattered());
}

TEST_CASE("what waits is forgotten with the lead", "[split_scatter]") {
  Leader leader;
  leader.BeginSplit();
  leader.server.StopLeading();
  // A question that was on its way is answered late.
  leader.server.coordinator().OnSplitGranted(
      {{101}, 1, {"", ""}, {leader.new_region}, SplitReason::kLoad});
  leader.server.Lead();
  for (const uint64_t id : {1U, 2U, 3U, 4U, 5U}) leader.server.Beat(id);
  leader.ReportSplit();
  CHECK(leader.Says("pd_checker_split_scatter_pending 0"));
  CHECK(leader.server.coordinator().operators().running_count() == 0);
}

}  // namespace
}  // namespace pd

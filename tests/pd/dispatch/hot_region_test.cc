// From heartbeats to an operator that evens out what is written.
#include <optional>
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"
#include "tests/pd/dispatch/coordinator_server.h"

namespace pd {
namespace {

using harness::Eventually;
using test::Server;

/// Regions 101 and 102, both led on store 1 and written there for three minutes.
void Heat(Server& server) {
  for (uint64_t minute = 0; minute < 3; ++minute) {
    for (const uint64_t id : {101U, 102U}) {
      scheduler::Region region = *server.cluster().regions().Find({id});
      region.flow.write_queries = 60 * 1000;
      region.flow.bytes_written = 60 * 50'000;
      region.flow.keys_written = 60 * 500;
      region.flow.interval_start_s = 1'700'000'000 + 60 * minute;
      region.flow.interval_end_s = region.flow.interval_start_s + 60;
      REQUIRE(server.cluster().HandleRegionReport(region));
    }
  }
}

void BeatWithLoad(Server& server, uint64_t store) {
  StoreTable::Heartbeat heartbeat;
  heartbeat.id = {store};
  heartbeat.stats.capacity_bytes = 100ULL << 30;
  heartbeat.stats.available_bytes = 80ULL << 30;
  heartbeat.stats.bytes_written = 10 * 100'000;
  heartbeat.stats.keys_written = 10 * 1000;
  heartbeat.stats.write_queries = store == 1 ? 10 * 2000 : 0;
  heartbeat.stats.interval_start_s = 1'700'000'000;
  heartbeat.stats.interval_end_s = 1'700'000'010;
  REQUIRE(server.cluster().HandleStoreReport(heartbeat));
}

TEST_CASE("leaders of regions that are written much are spread", "[coordinator]") {
  Server server;
  server.Fill();
  REQUIRE(server.cluster().HandleRegionReport(test::ThreeVoters()));
  test::ReportSplit(server.cluster(), {102});
  REQUIRE(Eventually([&] { return server.coordinator().planning(); }));
  const auto says = [&](const char* reason) {
    for (const auto& one : server.coordinator().decisions().All()) {
      for (const DecisionLog::Line& line : one.lines) {
        if (ReasonText(line.refusal.reason) == std::string(reason)) return true;
      }
    }
    return false;
  };
  CHECK(Eventually([&] {
    server.Pass(std::chrono::seconds(1));
    for (const uint64_t id : {1U, 2U, 3U}) server.Beat(id);
    return says("loads-alike");
  }));
  Heat(server);
  for (const uint64_t id : {1U, 2U, 3U}) BeatWithLoad(server, id);
  OperatorRunner& operators = server.coordinator().operators();
  REQUIRE(Eventually([&] {
    server.Pass(std::chrono::seconds(1));
    for (const uint64_t id : {1U, 2U, 3U}) BeatWithLoad(server, id);
    return operators.running_count() == 1;
  }));
  const uint64_t id = operators.IsBusy({101}) ? 101 : 102;
  const auto info = operators.Find({id});
  REQUIRE(info);
  CHECK(info->op.plan().desc == "transfer-hot-write-leader");
  CHECK(server.Metrics().find("pd_scheduler_hot_region{type=\"source\",store=\"1\"} 1") !=
        std::string::npos);

  // The store obeys. The other region stays: the loads are even as soon as they show it.
  scheduler::Region region = *server.cluster().regions().Find({id});
  region.leader =
      *region.PeerOnStore(std::get<scheduler::TransferLeader>(info->op.plan().steps.front()).to);
  REQUIRE(server.cluster().HandleRegionReport(region));
  CHECK(Eventually([&] { return operators.running_count() == 0; }));
}

TEST_CASE("settings of balance-hot-region outlive the lead", "[coordinator]") {
  Server server;
  server.Fill();
  SchedulerTable& table = server.coordinator().schedulers();
  const auto settings = [&]() -> std::optional<scheduler::HotRegionConfig> {
    for (const SchedulerTable::Entry& entry : table.Running()) {
      const auto* hot = std::get_if<scheduler::HotRegionConfig>(&entry.config);
      if (hot != nullptr) return *hot;
    }
    return {};
  };
  REQUIRE(table.Update("balance-hot-region-scheduler", [](auto& config) -> Result<void> {
    auto& hot = std::get<scheduler::HotRegionConfig>(config);
    hot.src_tolerance_ratio = 1.5;
    hot.read_priorities = {"key", "byte"};
    return {};
  }));
  const auto before = settings();
  REQUIRE(before);
  CHECK(before->src_tolerance_ratio == 1.5);
  server.StopLeading();
  CHECK_FALSE(settings());
  server.Lead();
  CHECK(settings() == before);
}

}  // namespace
}  // namespace pd

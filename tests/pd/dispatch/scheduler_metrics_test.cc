#include "pd/dispatch/scheduler_metrics.h"

#include <catch2/catch.hpp>

#include "tests/scheduler/world.h"

namespace pd {
namespace {

using scheduler::Instant;
using scheduler::Seconds;
using scheduler::SlowTrendMemory;

struct Page {
  [[nodiscard]] bool Has(const std::string& line) {
    return registry.Render().find(line + "\n") != std::string::npos;
  }
  MetricsRegistry registry;
};

TEST_CASE("what evict-slow-trend comes to is counted", "[scheduler-metrics]") {
  Page page;
  const SlowTrendMemory none;
  SlowTrendMemory candidate;
  candidate.candidate = {{1}, Instant{Seconds{100}}};
  SlowTrendMemory evicted;
  evicted.evicted_at = Instant{Seconds{110}};
  const auto note = [&](const SlowTrendMemory& before, const SlowTrendMemory& after, int64_t now,
                        bool evicted_before = false) {
    NoteSlowTrendRun(before, after, evicted_before, Instant{Seconds{now}}, page.registry);
  };
  const std::string actions = "pd_scheduler_store_slow_trend_action_status";
  const std::string times = "pd_scheduler_store_slow_trend_misc";
  note(none, candidate, 100);
  note(candidate, candidate, 105);
  CHECK(page.Has(actions + R"({type="candidate",status="captured"} 1)"));
  CHECK(page.Has(times + R"({type="candidate",dim="captured_secs"} 5)"));
  note(candidate, none, 107);
  CHECK(page.Has(actions + R"({type="candidate",status="dropped"} 1)"));
  note(none, candidate, 108);
  note(candidate, evicted, 110);
  note(evicted, evicted, 130);
  CHECK(page.Has(actions + R"({type="candidate",status="captured"} 2)"));
  CHECK(page.Has(actions + R"({type="candidate",status="dropped"} 1)"));
  CHECK(page.Has(actions + R"({type="evict",status="start"} 1)"));
  CHECK(page.Has(times + R"({type="candidate",dim="captured_secs"} 0)"));
  CHECK(page.Has(times + R"({type="evict",dim="evicted_secs"} 20)"));
  note(none, evicted, 135, true);  // Another leader had begun it.
  CHECK(page.Has(actions + R"({type="evict",status="start"} 1)"));
  note(evicted, none, 140, true);
  CHECK(page.Has(actions + R"({type="evict",status="stop"} 1)"));
  // Of a member that does not lead any more only what it counted is left.
  WithdrawSchedulers(page.registry);
  const std::string text = page.registry.Render();
  CHECK(text.find(times + "{") == std::string::npos);
  CHECK(text.find(actions + "{") != std::string::npos);
}

TEST_CASE("a job that runs shows what stores have and are to have", "[scheduler-metrics]") {
  Page page;
  scheduler::test::World world;
  for (uint64_t id = 1; id <= 2; ++id) world.AddStore(id);
  scheduler::Region region;
  region.id = {7};
  region.epoch = {1, 1};
  region.source = scheduler::RegionSource::kHeartbeat;
  region.peers = {{{71}, {1}, scheduler::PeerRole::kVoter, false},
                  {{72}, {2}, scheduler::PeerRole::kVoter, false}};
  region.leader = region.peers.front();
  world.PutRegion(region);
  world.Refresh();
  scheduler::RangeJob job;
  job.ranges = {{"", ""}};
  scheduler::BalanceRangeConfig config;
  REQUIRE(AddRangeJob(config.jobs, job, world.unix_ns));
  const auto publish = [&] { PublishRangeJob(world.Context(), config, page.registry); };
  publish();
  CHECK(page.registry.Render().find("pd_balance_range_store{") == std::string::npos);
  config.jobs.front().status = scheduler::RangeJobStatus::kRunning;
  config.jobs.front().start_unix_ns = world.unix_ns;
  publish();
  CHECK(page.Has(R"(pd_balance_range_store{store="1",type="score"} 1)"));
  CHECK(page.Has(R"(pd_balance_range_store{store="2",type="score"} 0)"));
  CHECK(page.Has(R"(pd_balance_range_store{store="2",type="expect"} 0.5)"));
  config.jobs.front().status = scheduler::RangeJobStatus::kFinished;
  publish();
  CHECK(page.registry.Render().find("pd_balance_range_store{") == std::string::npos);
}

}  // namespace
}  // namespace pd

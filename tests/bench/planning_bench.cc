// What planning costs: a patrol of QM_BENCH_REGIONS (default 1,000,000) regions, a cluster of them at rest, and one run
// of each scheduler that is on by default at 1,000 stores, at rest and where much is hot. On virtual time, so that all
// of it is the driver's CPU.
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "scheduler/checkers/checkers.h"
#include "scheduler/schedulers/hot_region_loads.h"
#include "scheduler/schedulers/hot_region_search.h"
#include "tests/harness/measure.h"
#include "tests/sim/play.h"

namespace sim {
namespace {

constexpr uint64_t kMib = 1024 * 1024;
constexpr int64_t kRestMs = 60LL * 60 * 1000;

storesim::Scenario Balanced(int stores, int regions) {
  storesim::Scenario scenario;
  storesim::StoreSpec store;
  store.count = stores;
  store.labels = {{"host", "h{n}"}};
  store.capacity_bytes = 8192 * 1024 * kMib;
  store.io_bytes_per_s = 500 * kMib;
  scenario.stores.push_back(store);
  storesim::RegionSpec region;
  region.count = regions;
  region.size_bytes = 96 * kMib;
  region.keys = 960'000;
  scenario.regions.push_back(region);
  scenario.end.limit_ms = kRestMs;
  return scenario;
}

void Patrol(Play& play, int regions) {
  scheduler::CheckInput input;
  uint64_t proposals = 0;
  play.driver().coordinator().Look([&](const scheduler::PlanContext& context) {
    const double before = harness::CpuSeconds();
    play.driver().cluster().regions().Visit({}, [&](const scheduler::Region& region) {
      proposals += CheckRegion(context, region, input).repair.proposals.size();
      return true;
    });
    const double took_s = harness::CpuSeconds() - before;
    std::cout << fmt::format("patrol of {} regions: CPU {:.2f} s, {:.2f} us a region\n", regions,
                             took_s, took_s / regions * 1e6);
  });
  CHECK(proposals == 0);
}

TEST_CASE("a patrol, and a cluster at rest") {
  const int regions = static_cast<int>(harness::RegionCount(1'000'000));
  Play play(Balanced(100, regions));
  REQUIRE(play.Run(0).settled);
  Patrol(play, regions);
  const double before = harness::CpuSeconds();
  const int64_t moves = play.Rest(kRestMs);
  CHECK(moves == 0);
  std::cout << fmt::format(
      "at rest, {} regions on 100 stores, heard of stores only: {:.2f}% of a core\n", regions,
      (harness::CpuSeconds() - before) * 1000 / kRestMs * 100);
}

TEST_CASE("each scheduler at 1,000 stores") {
  constexpr int kRuns = 100;
  Play play(Balanced(1000, 100'000));
  REQUIRE(play.Run(0).settled);
  play.driver().coordinator().Look([&](const scheduler::PlanContext& context) {
    for (const scheduler::SchedulerType& type : scheduler::SchedulerTypes()) {
      if (!type.by_default) continue;
      const scheduler::SchedulerConfig config = scheduler::DefaultSchedulerConfig(type);
      scheduler::SchedulerMemory memory;
      scheduler::Rng rng(1);
      const double before = harness::CpuSeconds();
      for (int i = 0; i < kRuns; ++i) static_cast<void>(RunScheduler(context, config, memory, rng));
      std::cout << fmt::format("{} at 1,000 stores: CPU {:.0f} us a run\n", type.name,
                               (harness::CpuSeconds() - before) / kRuns * 1e6);
    }
  });
}

/// Each store leads so many regions that are written, and read where they lead; most of it lies on one store in ten.
constexpr uint64_t kHotOfStore = 60;

/// Reports as long as it takes to be hot: minutes of writes, and six times as many reports of reads.
void Heat(Play& play, uint64_t stores) {
  pd::Cluster& cluster = play.driver().cluster();
  std::map<scheduler::StoreId, std::vector<scheduler::Region>> led;
  cluster.regions().Visit({}, [&](const scheduler::Region& region) {
    auto& regions = led[region.leader.store];
    if (regions.size() < kHotOfStore) regions.push_back(region);
    return true;
  });
  const auto weight_of = [](scheduler::StoreId store, uint64_t i) {
    return (store.value % 10 == 0 ? 5 : 1) * (100 + i);
  };
  for (uint64_t report = 0; report < 18; ++report) {
    for (const scheduler::Store& store : cluster.stores().All()) {
      pd::StoreTable::Heartbeat heartbeat;
      heartbeat.id = store.id;
      heartbeat.stats = store.stats;
      scheduler::StoreStats& stats = heartbeat.stats;
      stats.interval_start_s = 1'700'000'000 + 10 * report;
      stats.interval_end_s = stats.interval_start_s + 10;
      stats.bytes_read = stats.keys_read = stats.read_queries = 0;
      stats.bytes_written = stats.keys_written = stats.write_queries = 0;
      std::vector<pd::PeerReads> reads;
      for (uint64_t i = 0; i < led[store.id].size(); ++i) {
        const uint64_t weight = weight_of(store.id, i);
        reads.push_back({led[store.id][i].id, 10'000 * weight, 10 * weight, 20 * weight, 2});
        stats.bytes_read += 10'000 * weight;
        stats.read_queries += 20 * weight;
        stats.bytes_written += 3 * 10'000 * weight;
        stats.keys_written += 3 * 10 * weight;
        stats.write_queries += 10 * weight;
      }
      REQUIRE(cluster.HandleStoreReport(heartbeat, reads));
    }
    if (report % 6 != 0) continue;
    for (auto& [store, regions] : led) {
      for (uint64_t i = 0; i < regions.size(); ++i) {
        const uint64_t weight = weight_of(store, i);
        scheduler::RegionFlow& flow = regions[i].flow;
        flow = {};
        flow.bytes_written = 60 * 1000 * weight;
        flow.keys_written = 60 * weight;
        flow.write_queries = 60 * weight;
        flow.interval_start_s = 1'700'000'000 + 10 * report;
        flow.interval_end_s = flow.interval_start_s + 60;
        REQUIRE(cluster.HandleRegionReport(regions[i]));
      }
    }
  }
  CHECK(led.size() == stores);
}

/// A search of one task for one plan.
void TimeSearch(const scheduler::PlanContext& context, scheduler::HotTask task) {
  constexpr int kRuns = 5;
  const scheduler::HotRegionConfig config;
  scheduler::HotRegionMemory memory;
  const auto field = MakeField(context, config, memory, task, scheduler::Engine::kTiKv);
  size_t refusals = 0;
  bool found = false;
  const double before = harness::CpuSeconds();
  for (int i = 0; i < kRuns; ++i) {
    scheduler::Decision decision;
    found = SearchHotPlan(context, config, memory, field, decision).has_value();
    refusals = decision.refusals.size();
  }
  std::cout << fmt::format("{}: {}, {} refusals, CPU {:.1f} ms a search\n", HotTaskText(task),
                           found ? "a plan" : "no plan", refusals,
                           (harness::CpuSeconds() - before) / kRuns * 1e3);
}

void TimeSearches(Play& play, const char* what) {
  std::cout << what << ":\n";
  play.driver().coordinator().Look([&](const scheduler::PlanContext& context) {
    for (size_t i = 0; i < scheduler::kHotTaskCount; ++i) {
      TimeSearch(context, static_cast<scheduler::HotTask>(i));
    }
  });
}

TEST_CASE("balance-hot-region at 1,000 stores with hot peers on each") {
  constexpr uint64_t kStores = 1000;
  Play play(Balanced(kStores, 100'000));
  REQUIRE(play.Run(0).settled);
  Heat(play, kStores);
  TimeSearches(play, "1,000 stores, 60 hot leaders on each");
  // Nothing may go anywhere: what a search costs that is refused all it wants.
  for (const scheduler::Store& store : play.driver().cluster().stores().All()) {
    play.driver().cluster().stores().Modify(store.id, [](scheduler::Store& one) {
      one.stats.available_bytes = one.stats.capacity_bytes / 100;
    });
  }
  TimeSearches(play, "the same, stores out of space");
  play.driver().coordinator().Look([&](const scheduler::PlanContext& context) {
    const scheduler::SchedulerType& type = *scheduler::FindSchedulerType("hot-region");
    scheduler::SchedulerMemory memory;
    scheduler::Rng rng(1);
    const double before = harness::CpuSeconds();
    static_cast<void>(RunScheduler(context, DefaultSchedulerConfig(type), memory, rng));
    std::cout << fmt::format("a run that finds nothing: CPU {:.1f} ms\n",
                             (harness::CpuSeconds() - before) * 1e3);
  });
}

}  // namespace
}  // namespace sim

// What planning costs: a patrol of QM_BENCH_REGIONS (default 1,000,000) regions, a cluster of them at rest, and one run
// of each scheduler that is on by default at 1,000 stores. On virtual time, so that all of it is the driver's CPU.
#include <cstdlib>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "scheduler/checkers/checkers.h"
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

}  // namespace
}  // namespace sim

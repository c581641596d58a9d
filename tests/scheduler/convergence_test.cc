// Each balance scheduler reaches balance within a bound, then plans nothing more; no peer and no leader moves twice.
#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "scheduler/schedulers/registry.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

constexpr uint64_t kRegions = 600;
constexpr uint64_t kStores = 6;
constexpr uint64_t kNewPeers = 1'000'000;  // Peers with higher ids were moved once.

/// All regions on stores 1 to 3, led by store 1; the others empty.
void MakeLopsided(World& world) {
  for (uint64_t id = 1; id <= kStores; ++id) world.AddStore(id);
  for (uint64_t i = 0; i < kRegions; ++i) {
    Region region;
    region.id = {i + 1};
    region.epoch = {1, 1};
    region.size_mib = 96;
    region.source = RegionSource::kHeartbeat;
    const auto key = [](uint64_t n) { return std::to_string(1000 + n); };
    if (i > 0) region.start_key = key(i);
    if (i + 1 < kRegions) region.end_key = key(i + 1);
    for (uint64_t store = 1; store <= 3; ++store) {
      region.peers.push_back({{region.id.value * 10 + store}, {store}, PeerRole::kVoter, false});
    }
    region.leader = region.peers.front();
    world.PutRegion(region);
  }
  world.Refresh();
}

struct Outcome {
  int ticks = 0;
  std::map<RegionId, int> moves;
  int moved_again = 0;  // Peers that had been moved before.
};

/// Ticks until the scheduler has nothing more to say for a while; stores obey at once.
Outcome RunUntilQuiet(World& world, const char* type) {
  const SchedulerConfig config = DefaultSchedulerConfig(*FindSchedulerType(type));
  SchedulerMemory memory;
  Rng rng(7);
  Outcome outcome;
  uint64_t next_peer = kNewPeers;
  for (int quiet = 0; quiet < 20 && outcome.ticks < 20000; ++outcome.ticks) {
    Decision decision = RunScheduler(world.Context(), config, memory, rng);
    quiet = decision.proposals.empty() ? quiet + 1 : 0;
    for (Proposal& proposal : decision.proposals) {
      for (const StoreId store : proposal.NewPeerStores()) {
        proposal.FillPeerId(store, {++next_peer});
      }
      const Region before = *world.FindRegion(proposal.region);
      Region region = before;
      for (const Step& step : proposal.steps) region = Applied(region, step);
      ++outcome.moves[region.id];
      for (const Peer& peer : before.peers) {
        const bool gone = std::ranges::find(region.peers, peer.id, &Peer::id) == region.peers.end();
        if (gone && peer.id.value > kNewPeers) ++outcome.moved_again;
      }
      world.PutRegion(region);
    }
    world.Refresh();
  }
  return outcome;
}

void CheckSpread(const World& world, uint64_t StoreCounts::*count, uint64_t mean, uint64_t bound) {
  for (const Store& store : world.stores()) {
    CAPTURE(store.id.value);
    CHECK(store.counts.*count + bound >= mean);
    CHECK(store.counts.*count <= mean + bound);
  }
}

TEST_CASE("balance-region spreads regions over empty stores, no peer twice", "[convergence]") {
  World world;
  MakeLopsided(world);
  const Outcome outcome = RunUntilQuiet(world, "balance-region");
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 400);
  for (const Store& store : world.stores()) {
    CAPTURE(store.id.value);
    // The mean is 300; the tolerance lets the ends differ by 0.5% of the fullest, on either side.
    CHECK(store.counts.regions() >= 292);
    CHECK(store.counts.regions() <= 308);
  }
  CHECK(outcome.moved_again == 0);
}

TEST_CASE("balance-leader spreads leaders, no leader twice", "[convergence]") {
  World world;
  MakeLopsided(world);
  RunUntilQuiet(world, "balance-region");
  const Outcome outcome = RunUntilQuiet(world, "balance-leader");
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 400);
  // Stores that share regions differ by ten at most; others are neighbours' neighbours.
  CheckSpread(world, &StoreCounts::leaders, kRegions / kStores, 10);
  CHECK(std::ranges::none_of(outcome.moves, [](const auto& entry) { return entry.second > 1; }));
}

TEST_CASE("evict-leader empties a store of leaders", "[convergence]") {
  World world;
  MakeLopsided(world);
  SchedulerMemory memory;
  Rng rng(7);
  EvictLeaderConfig config;
  config.stores[StoreId{1}] = {KeyRange{}};
  for (int tick = 0; tick < 400 && world.FindStore({1})->counts.leaders > 0; ++tick) {
    for (const Proposal& proposal : RunScheduler(world.Context(), config, memory, rng).proposals) {
      Region region = *world.FindRegion(proposal.region);
      for (const Step& step : proposal.steps) region = Applied(region, step);
      world.PutRegion(region);
    }
    world.Refresh();
  }
  CHECK(world.FindStore({1})->counts.leaders == 0);
}

}  // namespace
}  // namespace scheduler::test

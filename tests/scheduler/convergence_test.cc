// Each balance scheduler reaches balance within a bound, then plans nothing more; no peer and no leader moves twice.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

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
  int ticks = 0;  // Up to the last one with something to do.
  std::map<RegionId, int> moves;
  int moved_again = 0;  // Peers that had been moved before.
};

/// A second later; all stores are heard.
void Pass(World& world) {
  world.SetNow(std::chrono::duration_cast<Seconds>(world.now.since_epoch) + Seconds{1});
  for (const Store& store : std::vector<Store>(world.stores())) {
    world.MutableStore(store.id.value)->last_heartbeat = world.now;
  }
}

/// Ticks of a second until the scheduler has nothing more to say for a minute and more; stores obey at once.
Outcome RunUntilQuiet(World& world, const char* type,
                      const std::function<void(SchedulerConfig&)>& set = {}) {
  SchedulerConfig config = DefaultSchedulerConfig(*FindSchedulerType(type));
  if (set) set(config);
  SchedulerMemory memory;
  Rng rng(7);
  Outcome outcome;
  uint64_t next_peer = kNewPeers;
  for (int tick = 1; tick - outcome.ticks < 70 && tick < 20000; ++tick) {
    Pass(world);
    Decision decision = RunScheduler(world.Context(), config, memory, rng);
    if (!decision.proposals.empty()) outcome.ticks = tick;
    if (memory.findings) KeepFindings(config, *memory.findings, world.unix_ns);
    memory.findings.reset();
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
  const Outcome outcome = RunUntilQuiet(world, "evict-leader", [](SchedulerConfig& config) {
    std::get<EvictLeaderConfig>(config).stores[StoreId{1}] = {KeyRange{}};
  });
  CHECK(outcome.ticks < 400);
  CHECK(world.FindStore({1})->counts.leaders == 0);
}

TEST_CASE("label empties stores that hold no leaders", "[convergence]") {
  World world;
  MakeLopsided(world);
  world.MutableStore(1)->labels = {{"disk", "slow"}};
  world.options.reject_leader_labels = {{"disk", "slow"}};
  const Outcome outcome = RunUntilQuiet(world, "label");
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 200);
  CHECK(world.FindStore({1})->counts.leaders == 0);
  CHECK(std::ranges::none_of(outcome.moves, [](const auto& entry) { return entry.second > 1; }));
}

TEST_CASE("a slow store keeps no leaders, whoever finds it slow", "[convergence]") {
  const auto evicted = [](const char* type, const std::function<void(SchedulerConfig&)>& set) {
    World world;
    MakeLopsided(world);
    const Outcome outcome = RunUntilQuiet(world, type, set);
    CAPTURE(type, outcome.ticks);
    CHECK(outcome.ticks < 250);
    CHECK(world.FindStore({1})->counts.leaders == 0);
  };
  evicted("evict-slow-store", [](SchedulerConfig& config) {
    std::get<EvictSlowStoreConfig>(config).evicted = {StoreId{1}};
  });
  evicted("evict-slow-store", [](SchedulerConfig& config) {
    auto& slow = std::get<EvictSlowStoreConfig>(config);
    slow.network_slow_store = true;
    slow.network_paused = slow.network_evicted = {StoreId{1}};
  });
  evicted("evict-slow-trend", [](SchedulerConfig& config) {
    std::get<EvictSlowTrendConfig>(config).evicted = {StoreId{1}};
  });
}

TEST_CASE("balance-witness spreads witnesses, none twice", "[convergence]") {
  World world;
  MakeLopsided(world);
  world.options.enable_witness = true;
  Rule data = DefaultRule(2, {}, "");
  Rule witness = DefaultRule(1, {}, "");
  witness.id = "witness";
  witness.witness = true;
  std::vector<Rule> rules{data, witness};
  world.rules = RuleBook(std::move(rules));
  for (uint64_t id = 1; id <= kRegions; ++id) {
    Region region = *world.FindRegion({id});
    region.peers.back().witness = true;
    world.PutRegion(region);
  }
  world.Refresh();
  const Outcome outcome = RunUntilQuiet(world, "balance-witness");
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 200);
  // Store 1 leads all regions and takes none; the tolerance is 0.5% of 600 on either side.
  CHECK(world.FindStore({1})->counts.witnesses == 0);
  for (const uint64_t id : {2U, 3U}) {
    CHECK(world.FindStore({id})->counts.witnesses >= kRegions / 2 - 4);
    CHECK(world.FindStore({id})->counts.witnesses <= kRegions / 2 + 4);
  }
  CHECK(std::ranges::none_of(outcome.moves, [](const auto& entry) { return entry.second > 1; }));
}

TEST_CASE("transfer-witness-leader leaves no witness in the lead", "[convergence]") {
  World world;
  MakeLopsided(world);
  world.options.enable_witness = true;
  for (uint64_t id = 1; id <= kRegions; ++id) {
    Region region = *world.FindRegion({id});
    region.peers.front().witness = true;
    region.leader = region.peers.front();
    world.PutRegion(region);
  }
  world.Refresh();
  const Outcome outcome = RunUntilQuiet(world, "transfer-witness-leader");
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 250);
  CHECK(world.WitnessLedRegions(1).empty());
  CHECK(outcome.moves.size() == kRegions);
}

constexpr const char* kRangeStart = "1100";  // Of 120 regions ...
constexpr const char* kRangeEnd = "1220";    // ... that MakeLopsided() made.
constexpr uint64_t kInRange = 120;

TEST_CASE("scatter-range spreads what lies in its range, and nothing else", "[convergence]") {
  World world;
  MakeLopsided(world);
  const KeyRange range{kRangeStart, kRangeEnd};
  const Outcome outcome = RunUntilQuiet(world, "scatter-range", [&](SchedulerConfig& config) {
    config = ScatterRangeConfig{"t", range};
  });
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 200);
  for (const Store& store : world.stores()) {
    CAPTURE(store.id.value);
    const auto count = [&](HeldAs held_as) {
      return world.CountStoreRegions(store.id, held_as, range);
    };
    // Means of 60 and 20; the tolerance is two on either side.
    const uint64_t peers = count(HeldAs::kLeader) + count(HeldAs::kFollower);
    CHECK(peers >= kInRange / 2 - 5);
    CHECK(peers <= kInRange / 2 + 5);
    CHECK(count(HeldAs::kLeader) >= kInRange / kStores - 5);
    CHECK(count(HeldAs::kLeader) <= kInRange / kStores + 5);
  }
  CHECK(outcome.moved_again == 0);
  for (const auto& entry : outcome.moves) {
    const Region region = *world.FindRegion(entry.first);
    CHECK(Contains(kRangeStart, kRangeEnd, region.start_key));
  }
}

TEST_CASE("balance-range comes as near to what each store is to have as can be", "[convergence]") {
  World world;
  MakeLopsided(world);
  const KeyRange range{kRangeStart, kRangeEnd};
  RangeJobs jobs;
  for (const RangeJobRule rule : {RangeJobRule::kPeerScatter, RangeJobRule::kLeaderScatter}) {
    RangeJob job;
    job.rule = rule;
    job.alias = "t";
    job.ranges = {range};
    REQUIRE(AddRangeJob(jobs, job, world.unix_ns));
  }
  const Outcome outcome = RunUntilQuiet(world, "balance-range", [&](SchedulerConfig& config) {
    std::get<BalanceRangeConfig>(config).jobs = jobs;
  });
  CAPTURE(outcome.ticks);
  CHECK(outcome.ticks < 200);
  for (const RangeJob& job : jobs) {
    for (const RangeSurplus& store : SurplusesOf(world.Context(), job)) {
      CAPTURE(job.id, store.store.value, store.has, store.wanted);
      // The second job may move a few peers, so that a leader has a place to go.
      CHECK(std::abs(store.surplus()) <= (job.rule == RangeJobRule::kLeaderScatter ? 1 : 4));
    }
  }
  for (const auto& entry : outcome.moves) {
    const Region region = *world.FindRegion(entry.first);
    CHECK(Contains(kRangeStart, kRangeEnd, region.start_key));
  }
}

TEST_CASE("balance-range obeys the locations of each range's rules", "[convergence]") {
  World world;
  MakeLopsided(world);
  // Zone z1 is a single store: of three zones it has a copy of all, the others share theirs.
  const std::vector<std::string> zones{"z1", "z2", "z3", "z2", "z3", "z3"};
  for (uint64_t id = 1; id <= kStores; ++id) {
    world.MutableStore(id)->labels = {{"zone", zones[id - 1]}};
  }
  std::vector<Rule> rules{DefaultRule(3, {"zone"}, "")};
  world.rules = RuleBook(std::move(rules));
  RangeJobs jobs;
  RangeJob job;
  job.rule = RangeJobRule::kPeerScatter;
  job.ranges = {{kRangeStart, kRangeEnd}};
  REQUIRE(AddRangeJob(jobs, job, world.unix_ns));
  RunUntilQuiet(world, "balance-range",
                [&](SchedulerConfig& config) { std::get<BalanceRangeConfig>(config).jobs = jobs; });
  const std::vector<double> wanted{120, 60, 40, 60, 40, 40};
  const std::vector<RangeSurplus> stores = SurplusesOf(world.Context(), jobs.front());
  for (uint64_t i = 0; i < kStores; ++i) {
    CAPTURE(i, stores[i].has);
    CHECK(stores[i].wanted == Approx(wanted[i]));
    CHECK(std::abs(stores[i].surplus()) <= 1);
  }
}

}  // namespace
}  // namespace scheduler::test

// Hot loads become even within a bound, then nothing more is planned; no peer and no leader goes back where it was.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "scheduler/schedulers/hot_region.h"
#include "tests/harness/sanitized.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

constexpr uint64_t kStores = 10;
constexpr uint64_t kRegions = 200;
constexpr int kQuietTicks = 900;  // More than history and pending moves last.
/// Under a sanitizer the beginning has to do: it shows how memory is used, not where the loads end.
constexpr int kTicksMax = harness::kSanitized ? 150 : 40'000;

void PutRegionAt(World& world, uint64_t i, std::array<uint64_t, 3> stores) {
  Region region;
  region.id = {i + 1};
  region.epoch = {1, 1};
  region.size_mib = 96;
  region.source = RegionSource::kHeartbeat;
  const auto key = [](uint64_t n) { return std::to_string(1000 + n); };
  if (i > 0) region.start_key = key(i);
  if (i + 1 < kRegions) region.end_key = key(i + 1);
  for (const uint64_t store : stores) {
    region.peers.push_back({{region.id.value * 100 + store}, {store}, PeerRole::kVoter, false});
  }
  region.leader = region.peers.front();
  world.PutRegion(region);
}

/// Peers on random stores, or all on the first three; the load of a region is one by its number.
enum class Spread : uint8_t { kRandom, kThreeStores };
void MakeWorld(World& world, Spread spread, uint64_t seed) {
  Rng rng(seed);
  for (uint64_t id = 1; id <= kStores; ++id) world.AddStore(id);
  for (uint64_t i = 0; i < kRegions; ++i) {
    std::array<uint64_t, 3> stores{1, 2, 3};
    if (spread == Spread::kRandom) {
      std::set<uint64_t> drawn;
      while (drawn.size() < 3) drawn.insert(1 + rng.Below(kStores));
      std::ranges::copy(drawn, stores.begin());
      std::swap(stores[0], stores[rng.Below(3)]);
    }
    PutRegionAt(world, i, stores);
  }
  world.Refresh();
}

struct Outcome {
  int ticks = 0;  // Until the last proposal.
  int proposals = 0;
  int returns = 0;  // To a store that the peer, or the lead, had left.
  std::map<std::string, int> descs;
};

/// Ticks of a second. Stores obey at once, but report their loads every ten seconds only.
Outcome RunUntilQuiet(World& world, const HotRegionConfig& config) {
  HotRegionMemory memory;
  Outcome outcome;
  std::map<RegionId, std::set<StoreId>> left;
  std::map<RegionId, std::set<StoreId>> led;
  uint64_t next_peer = 1'000'000;
  int quiet = 0;
  for (int tick = 0; quiet < kQuietTicks && tick < kTicksMax; ++tick, ++quiet) {
    world.SetNow(Seconds{1000 + tick});
    for (const Store& store : world.stores()) {
      world.MutableStore(store.id.value)->last_heartbeat = world.now;
    }
    if (tick % 10 == 0) {
      world.measured.emplace();
      for (const Store& store : world.stores()) {
        (*world.measured)[store.id] = world.TrueLoadsOf(store.id);
      }
    }
    Decision decision = BalanceHotRegion(world.Context(), config, memory);
    for (Proposal& proposal : decision.proposals) {
      quiet = 0;
      outcome.ticks = tick;
      ++outcome.proposals;
      ++outcome.descs[proposal.desc];
      for (const StoreId store : proposal.NewPeerStores()) {
        proposal.FillPeerId(store, {++next_peer});
      }
      const Region before = *world.FindRegion(proposal.region);
      Region region = before;
      for (const Step& step : proposal.steps) region = Applied(region, step);
      for (const Peer& peer : before.peers) {
        if (region.PeerOnStore(peer.store) == nullptr) left[region.id].insert(peer.store);
      }
      for (const Peer& peer : region.peers) {
        if (before.PeerOnStore(peer.store) == nullptr && left[region.id].contains(peer.store)) {
          ++outcome.returns;
        }
      }
      if (before.leader.store != region.leader.store) {
        led[region.id].insert(before.leader.store);
        if (led[region.id].contains(region.leader.store)) ++outcome.returns;
      }
      world.PutRegion(region);
    }
    world.Refresh();
  }
  fmt::print("{} proposals in {} ticks, {} returns\n", outcome.proposals, outcome.ticks,
             outcome.returns);
  for (const auto& [desc, times] : outcome.descs) fmt::print("  {} {}\n", desc, times);
  return outcome;
}

/// The largest deviation of a store from the mean, as a share of the mean.
double WorstDeviation(const World& world, Access access, LoadDim dim) {
  double sum = 0;
  for (const Store& store : world.stores()) sum += world.TrueLoadsOf(store.id).Of(access)[dim];
  const double mean = sum / static_cast<double>(world.stores().size());
  double worst = 0;
  for (const Store& store : world.stores()) {
    const double load = world.TrueLoadsOf(store.id).Of(access)[dim];
    worst = std::max(worst, std::abs(load - mean) / mean);
  }
  return worst;
}

TEST_CASE("a Zipf load of writes becomes even, and stays where it is", "[convergence]") {
  const auto [spread, seed] =
      GENERATE(std::pair{Spread::kThreeStores, 1U}, std::pair{Spread::kRandom, 1U},
               std::pair{Spread::kRandom, 2U}, std::pair{Spread::kRandom, 3U});
  World world;
  MakeWorld(world, spread, seed);
  Rng rng(seed + 100);
  std::vector<uint64_t> ids;
  for (uint64_t i = 1; i <= kRegions; ++i) ids.push_back(i);
  for (size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[rng.Below(i)]);
  for (size_t i = 0; i < ids.size(); ++i) {
    const double share = 1 / static_cast<double>(i + 1);
    world.region_loads[{ids[i]}].write = Load{{10e6 * share, 50e3 * share, 20e3 * share, 0}};
  }
  const Outcome outcome = RunUntilQuiet(world, {});
  CAPTURE(outcome.ticks, outcome.proposals);
  CHECK(outcome.proposals > 0);
  CHECK(outcome.returns == 0);
  if (harness::kSanitized) return;
  CHECK(outcome.ticks < kTicksMax / 2);
  CHECK(WorstDeviation(world, Access::kWrite, LoadDim::kByte) < 0.2);
  CHECK(WorstDeviation(world, Access::kWrite, LoadDim::kKey) < 0.2);
}

TEST_CASE("a Zipf load of reads becomes even, whatever it is measured in", "[convergence]") {
  const char* const formula = GENERATE("v1", "v2");
  World world;
  MakeWorld(world, Spread::kRandom, 4);
  Rng rng(5);
  for (uint64_t i = 1; i <= kRegions; ++i) {
    const double share = 1 / static_cast<double>(i + 4);  // No region has more than its store may.
    const double cpu = 400 * share * (0.5 + static_cast<double>(rng.Below(100)) / 100);
    world.region_loads[{i}].read = Load{{40e6 * share, 90e3 * share, 30e3 * share, cpu}};
  }
  HotRegionConfig config;
  config.rank_formula_version = formula;
  CAPTURE(formula);
  const Outcome outcome = RunUntilQuiet(world, config);
  CHECK(outcome.returns == 0);
  if (harness::kSanitized) return;
  CHECK(outcome.ticks < kTicksMax / 2);
  CHECK(WorstDeviation(world, Access::kRead, LoadDim::kCpu) < 0.2);
}

TEST_CASE("where there is nothing to do nothing is planned, by whatever task", "[convergence]") {
  World world;
  MakeWorld(world, Spread::kRandom, 6);
  const Outcome outcome = RunUntilQuiet(world, {});
  CHECK(outcome.proposals == 0);
}

}  // namespace
}  // namespace scheduler::test

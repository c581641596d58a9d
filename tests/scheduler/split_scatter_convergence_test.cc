// Scattering the parts of splits comes to rest with nearly as many peers and leaders of the group on each store.
#include <algorithm>

#include <catch2/catch.hpp>

#include "scheduler/scatter/split_scatter.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

struct Layout {
  uint64_t stores = 5;
  uint64_t regions = 60;
  bool joint = true;
  bool lopsided = true;    // All on the first three stores and led by the first, else anywhere.
  uint64_t at_a_time = 1;  // Operators that run together.
};

// In the end.
constexpr uint64_t kPeersApart = 1;
constexpr uint64_t kLeadersApart = 2;
// After that many rounds over all regions nothing is planned.
constexpr int kRoundsMax = 3;

KeyRange RangeOf(uint64_t number) {
  const auto key = [](uint64_t n) { return std::to_string(1000 + n); };
  return {key(number), key(number + 1)};
}

void MakeRegions(World& world, const Layout& layout, Rng& rng) {
  for (uint64_t number = 1; number <= layout.regions; ++number) {
    Region region;
    region.id = {number};
    region.epoch = {1, 1};
    region.size_mib = 96;
    region.source = RegionSource::kHeartbeat;
    region.start_key = RangeOf(number).start;
    region.end_key = RangeOf(number).end;
    const uint64_t first = layout.lopsided ? 0 : rng.Below(layout.stores);
    for (uint64_t i = 0; i < 3; ++i) {
      const uint64_t store = 1 + (first + i) % layout.stores;
      region.peers.push_back({{number * 1000 + store}, {store}, PeerRole::kVoter, false});
    }
    region.leader = region.peers[layout.lopsided ? 0 : rng.Below(3)];
    world.PutRegion(region);
  }
}

/// The stores do what was planned.
void Obey(World& world, Proposal proposal) {
  Region region = *world.FindRegion(proposal.region);
  for (const StoreId store : proposal.NewPeerStores()) {
    proposal.FillPeerId(store, {region.id.value * 1000 + store.value});
  }
  for (const Step& step : proposal.steps) region = Applied(region, step);
  world.PutRegion(region);
  world.Refresh();
}

/// Looks at each region once, with so many operators under way. How many were started.
uint64_t Round(World& world, const Layout& layout, const KeyRange& range) {
  std::vector<Proposal> running;
  uint64_t moves = 0;
  for (uint64_t number = 1; number <= layout.regions; ++number) {
    const ScatterCounts counts = CountScattered(world, range, running);
    const Region region = *world.FindRegion({number});
    ScatterPlan plan = PlanSplitScatter(world.Context(), region, "g", counts);
    REQUIRE(plan.outcome != ScatterOutcome::kRefused);
    if (!plan.proposal) continue;
    ++moves;
    running.push_back(*std::move(plan.proposal));
    if (running.size() < layout.at_a_time) continue;
    Obey(world, running.front());
    running.erase(running.begin());
  }
  for (const Proposal& proposal : running) Obey(world, proposal);
  return moves;
}

template <class Count>
uint64_t Spread(const World& world, const Count& count) {
  uint64_t most = 0;
  uint64_t least = UINT64_MAX;
  for (const Store& store : world.stores()) {
    most = std::max(most, count(store.id));
    least = std::min(least, count(store.id));
  }
  return most - least;
}

void Settle(const Layout& layout, uint64_t seed) {
  CAPTURE(seed, layout.stores, layout.joint, layout.lopsided, layout.at_a_time);
  World world;
  for (uint64_t id = 1; id <= layout.stores; ++id) world.AddStore(id);
  world.options.enable_joint_consensus = layout.joint;
  Rng rng(seed);
  MakeRegions(world, layout, rng);
  world.Refresh();
  const KeyRange range{RangeOf(1).start, RangeOf(layout.regions).end};
  int rounds = 0;
  while (Round(world, layout, range) > 0) REQUIRE(++rounds <= kRoundsMax);
  const ScatterCounts counts = CountScattered(world, range, {});
  const auto peers = [&](StoreId store) { return counts.PeersOn(store); };
  const auto leaders = [&](StoreId store) { return counts.LeadersOn(store); };
  CHECK(Spread(world, peers) <= kPeersApart);
  CHECK(Spread(world, leaders) <= kLeadersApart);
}

TEST_CASE("the parts of splits come to rest evenly", "[convergence]") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const uint64_t stores = 4 + seed % 6;
    Settle({.stores = stores}, seed);
    Settle({.stores = stores, .lopsided = false}, seed);
    Settle({.stores = stores, .joint = false, .lopsided = false}, seed);
    Settle({.stores = stores, .at_a_time = 4}, seed);
    Settle({.stores = stores, .lopsided = false, .at_a_time = 4}, seed);
  }
}

TEST_CASE("with nowhere to go only the leads of the parts are spread", "[convergence]") {
  Settle({.stores = 3}, 1);
}

}  // namespace
}  // namespace scheduler::test

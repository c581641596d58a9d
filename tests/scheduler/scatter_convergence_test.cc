// Scattering the regions of one group ends with nearly the same number of peers and of leaders on each store.
#include <algorithm>

#include <catch2/catch.hpp>

#include "scheduler/scatter/scatter.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

constexpr uint64_t kRegions = 300;
constexpr uint64_t kSeeds = 10;

struct Layout {
  uint64_t stores = 5;   // Of the ordinary engine; ids from 1.
  uint64_t zones = 0;    // 0: no labels; else as many stores in each zone.
  uint64_t tiflash = 0;  // Ids from 101.
  bool joint = true;
  bool lopsided = true;  // All on the first three stores, else anywhere.
};

struct Bounds {
  uint64_t peers;
  uint64_t leaders;
};
// On the way a region may happen to have none of the stores whose turn to lead it would be.
constexpr Bounds kOnTheWay{.peers = 1, .leaders = 3};
constexpr Bounds kAtTheEnd{.peers = 1, .leaders = 2};
// Both stores whose turn it would be may be in one zone, of which the region takes one only.
constexpr Bounds kAcrossZones{.peers = 2, .leaders = 3};

Rule LearnerRule() {
  Rule rule = DefaultRule(1, {}, "");
  rule.group_id = "tiflash";
  rule.role = RuleRole::kLearner;
  rule.constraints = {{"engine", ConstraintOp::kIn, {"tiflash"}}};
  return rule;
}

void MakeStores(World& world, const Layout& layout) {
  for (uint64_t id = 1; id <= layout.stores; ++id) {
    Store& store = world.AddStore(id);
    if (layout.zones > 0) store.labels = {{"zone", std::to_string(id % layout.zones)}};
  }
  for (uint64_t id = 101; id <= 100 + layout.tiflash; ++id) {
    world.AddStore(id).labels = {{"engine", "tiflash"}};
  }
  world.options.enable_joint_consensus = layout.joint;
  std::vector<Rule> rules{DefaultRule(
      3, layout.zones > 0 ? std::vector<std::string>{"zone"} : std::vector<std::string>(),
      layout.zones > 0 ? "zone" : "")};
  if (layout.tiflash > 0) rules.push_back(LearnerRule());
  world.rules = RuleBook(std::move(rules));
}

/// Three neighbours in the ring of stores: with zones, three zones.
Region MakeRegion(const Layout& layout, uint64_t number, Rng& rng) {
  Region region;
  region.id = {number};
  region.epoch = {1, 1};
  region.size_mib = 96;
  region.source = RegionSource::kHeartbeat;
  const uint64_t first = layout.lopsided ? 0 : rng.Below(layout.stores);
  for (uint64_t i = 0; i < 3; ++i) {
    const uint64_t store = 1 + (first + i) % layout.stores;
    region.peers.push_back({{number * 1000 + store}, {store}, PeerRole::kVoter, false});
  }
  region.leader = region.peers[rng.Below(3)];
  if (layout.tiflash > 0) {
    region.peers.push_back({{number * 1000 + 101}, {101}, PeerRole::kLearner, false});
  }
  return region;
}

/// How far the counts of the stores with ids from `first` are apart.
template <class Count>
uint64_t Spread(uint64_t first, uint64_t stores, const Count& count) {
  uint64_t most = 0;
  uint64_t least = UINT64_MAX;
  for (uint64_t id = first; id < first + stores; ++id) {
    most = std::max(most, count(StoreId{id}));
    least = std::min(least, count(StoreId{id}));
  }
  return most - least;
}

void CheckEven(const Layout& layout, const ScatterCounts& counts, const Bounds& bounds) {
  const auto peers = [&](StoreId store) { return counts.PeersOn(store); };
  const auto leaders = [&](StoreId store) { return counts.LeadersOn(store); };
  CHECK(Spread(1, layout.stores, peers) <= bounds.peers);
  CHECK(Spread(1, layout.stores, leaders) <= bounds.leaders);
  if (layout.tiflash > 0) CHECK(Spread(101, layout.tiflash, peers) <= 1);
}

/// What the stores make of it, as planned.
void CheckDone(Region region, Proposal proposal, const ScatterPlan& plan) {
  for (const StoreId store : proposal.NewPeerStores()) {
    proposal.FillPeerId(store, {1'000'000 + store.value});
  }
  for (const Step& step : proposal.steps) region = Applied(region, step);
  CHECK(region.leader.store == plan.leader);
  CHECK(region.peers.size() == plan.stores.size());
  CHECK(std::ranges::all_of(plan.stores,
                            [&](StoreId store) { return region.PeerOnStore(store) != nullptr; }));
}

/// Scatters all regions, one after the other. Returns how many had to move.
int ScatterAll(const Layout& layout, uint64_t seed) {
  World world;
  MakeStores(world, layout);
  Rng rng(seed);
  ScatterCounts counts;
  const bool across_zones = layout.zones > 3;
  int moves = 0;
  CAPTURE(seed, layout.stores, layout.zones, layout.tiflash, layout.joint);
  for (uint64_t number = 1; number <= kRegions; ++number) {
    CAPTURE(number);
    const Region region = MakeRegion(layout, number, rng);
    const ScatterPlan plan = PlanScatter(world.Context(), region, "g", counts);
    REQUIRE(plan.outcome != ScatterOutcome::kRefused);
    Record(plan, counts);
    CheckEven(layout, counts, across_zones ? kAcrossZones : kOnTheWay);
    if (!plan.proposal) continue;
    ++moves;
    CheckDone(region, *plan.proposal, plan);
  }
  CheckEven(layout, counts, across_zones ? kAcrossZones : kAtTheEnd);
  return moves;
}

TEST_CASE("scattered regions of a group are even over the stores", "[convergence]") {
  for (uint64_t run = 0; run < 5 * kSeeds; ++run) {
    const uint64_t stores = 5 + run % 5;
    ScatterAll({.stores = stores, .lopsided = true}, run);
    ScatterAll({.stores = stores, .lopsided = false}, run);
    ScatterAll({.stores = stores, .joint = false, .lopsided = false}, run);
  }
}

TEST_CASE("scattered learners are even over the stores of their engine", "[convergence]") {
  for (uint64_t tiflash = 1; tiflash <= 4; ++tiflash) {
    ScatterAll({.stores = 6, .tiflash = tiflash}, tiflash);
  }
}

TEST_CASE("scattered regions are even over the stores of zones", "[convergence]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    ScatterAll({.stores = 6, .zones = 3, .lopsided = false}, seed);
    ScatterAll({.stores = 9, .zones = 3, .lopsided = true}, seed);
    ScatterAll({.stores = 8, .zones = 4, .lopsided = false}, seed);
  }
}

TEST_CASE("with nowhere to go only leaders are scattered", "[convergence]") {
  // A third of them stays, more or less: regions begin with leaders anywhere.
  const int moves = ScatterAll({.stores = 3}, 1);
  CHECK(moves > static_cast<int>(kRegions / 2));
  CHECK(moves < static_cast<int>(kRegions * 5 / 6));
}

}  // namespace
}  // namespace scheduler::test

// The schedulers that move hot regions about without evening anything out.
#include <array>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler/schedulers/grant_hot_region.h"
#include "scheduler/schedulers/registry.h"
#include "scheduler/schedulers/shuffle_hot_region.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

void AddRegion(World& world, uint64_t id, std::array<uint64_t, 3> stores, double bytes) {
  Region region;
  region.id = {id};
  region.epoch = {1, 1};
  region.size_mib = 96;
  region.source = RegionSource::kHeartbeat;
  region.start_key = std::to_string(1000 + id);
  region.end_key = std::to_string(1001 + id);
  for (const uint64_t store : stores) {
    region.peers.push_back({{id * 100 + store}, {store}, PeerRole::kVoter, false});
  }
  region.leader = region.peers.front();
  world.PutRegion(region);
  world.region_loads[region.id].write = Load{{bytes, 0, 0, 0}};
}

void AddStores(World& world) {
  for (uint64_t id = 1; id <= 6; ++id) world.AddStore(id);
}

/// Obeys until nothing more is proposed; how many proposals that took.
template <class Plan>
int RunOut(World& world, const Plan& plan) {
  uint64_t next_peer = 1'000'000;
  for (int count = 0; count < 200; ++count) {
    world.Refresh();
    Decision decision = plan();
    if (decision.proposals.empty()) return count;
    Proposal& proposal = decision.proposals.front();
    for (const StoreId store : proposal.NewPeerStores()) proposal.FillPeerId(store, {++next_peer});
    Region region = *world.FindRegion(proposal.region);
    for (const Step& step : proposal.steps) region = Applied(region, step);
    world.PutRegion(region);
  }
  return 200;
}

TEST_CASE("shuffle-hot-region stops at its own limit") {
  World world;
  SchedulerMemory memory;
  memory.operators = 2;
  Rng rng(1);
  const Decision decision = RunScheduler(world.Context(), ShuffleHotRegionConfig{2}, memory, rng);
  REQUIRE(decision.refusals.size() == 1);
  CHECK(decision.refusals.front().reason == Reason::kScheduleLimit);
  CHECK(decision.refusals.front().value == 2);
  CHECK(decision.refusals.front().bound == 2);
  memory.operators = 1;
  CHECK(RunScheduler(world.Context(), ShuffleHotRegionConfig{2}, memory, rng)
            .refusals.front()
            .reason == Reason::kNoHotPeers);
}

TEST_CASE("grant-hot-region gathers leaders on one store and the other peers on the rest") {
  World world;
  AddStores(world);
  AddRegion(world, 7, {1, 2, 3}, 1000);
  AddRegion(world, 8, {4, 2, 3}, 2000);
  AddRegion(world, 9, {2, 3, 1}, 0);  // Not hot.
  const GrantHotRegionConfig config{{4}, {{4}, {5}, {6}}};
  Rng rng(1);
  const int moves = RunOut(world, [&] { return GrantHotRegion(world.Context(), config, rng); });
  CHECK(moves == 5);  // One leader with its peer, and two peers of each hot region.
  for (const uint64_t id : {7U, 8U}) {
    const Region region = *world.FindRegion({id});
    CHECK(region.leader.store == StoreId{4});
    for (const Peer& peer : region.peers) CHECK(peer.store.value >= 4);
  }
  CHECK(world.FindRegion({9})->leader.store == StoreId{2});
}

TEST_CASE("grant-hot-region says whether all is in place, or there is no place") {
  World world;
  AddStores(world);
  AddRegion(world, 7, {4, 5, 6}, 1000);
  world.Refresh();
  Rng rng(1);
  const Decision in_place = GrantHotRegion(world.Context(), {{4}, {{4}, {5}, {6}}}, rng);
  REQUIRE(in_place.refusals.size() == 1);
  CHECK(in_place.refusals[0].reason == Reason::kNoHotPeers);
  CHECK(in_place.refusals[0].detail == "all are on stores that they are granted to");
  const Decision none = GrantHotRegion(world.Context(), {{4}, {{4}}}, rng);
  REQUIRE(none.refusals.size() == 1);
  CHECK(none.refusals[0].reason == Reason::kNoTarget);
  CHECK(none.refusals[0].bound == 2);
}

TEST_CASE("grant-hot-region takes what is written most first, and leaves busy regions alone") {
  World world;
  AddStores(world);
  AddRegion(world, 7, {1, 2, 3}, 1000);
  AddRegion(world, 8, {1, 2, 4}, 2000);
  AddRegion(world, 9, {1, 2, 4}, 3000);
  world.busy.insert({9});
  world.Refresh();
  const GrantHotRegionConfig config{{4}, {{4}, {1}, {2}, {3}}};
  Rng rng(1);
  const Decision decision = GrantHotRegion(world.Context(), config, rng);
  REQUIRE(decision.proposals.size() == 1);
  CHECK(decision.proposals[0].desc == "grant-hot-region-leader");
  CHECK(decision.proposals[0].region == RegionId{8});
  CHECK(decision.proposals[0].priority == Priority::kHigh);
  CHECK(decision.proposals[0].why == "byte 2000, on store 1, leaders are granted to store 4");
  REQUIRE(decision.refusals.size() == 1);
  CHECK(decision.refusals[0].reason == Reason::kOperatorExists);
}

TEST_CASE("shuffle-hot-region moves hot leaders to any store that may take them") {
  World world;
  AddStores(world);
  world.MutableStore(5)->stats.busy = true;
  AddRegion(world, 7, {1, 2, 3}, 1000);
  AddRegion(world, 8, {2, 1, 3}, 0);
  world.Refresh();
  std::set<StoreId> targets;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    const Decision decision = ShuffleHotRegion(world.Context(), {}, rng);
    REQUIRE(decision.proposals.size() == 1);
    const Proposal& proposal = decision.proposals[0];
    CHECK(proposal.desc == "random-move-hot-leader");
    CHECK(proposal.region == RegionId{7});
    CHECK(proposal.priority == Priority::kLow);
    CHECK(proposal.why.starts_with("byte 1000, on store 1, store "));
    CHECK(proposal.why.ends_with(" drawn of 2"));
    for (const StoreId store : proposal.NewPeerStores()) targets.insert(store);
  }
  CHECK(targets == std::set<StoreId>{{4}, {6}});
  world.region_loads.clear();
  Rng rng(1);
  const Decision none = ShuffleHotRegion(world.Context(), {}, rng);
  REQUIRE(none.refusals.size() == 1);
  CHECK(none.refusals[0].reason == Reason::kNoHotPeers);
}

TEST_CASE(
    "what is granted already is said to be, and what finds no store says how many there were") {
  World world;
  AddStores(world);
  AddRegion(world, 7, {4, 5, 6}, 1000);
  world.Refresh();
  Rng rng(1);
  const Decision granted = GrantHotRegion(world.Context(), {{4}, {{4}, {5}, {6}}}, rng);
  CHECK(granted.proposals.empty());
  REQUIRE(granted.refusals.size() == 1);
  CHECK(RefusalText(granted.refusals[0]) ==
        "no-hot-peers store=4 value=0 bound=1 (all are on stores that they are granted to)");
  for (const uint64_t id : {1U, 2U, 3U}) world.MutableStore(id)->stats.busy = true;
  const Decision shuffled = ShuffleHotRegion(world.Context(), {}, rng);
  CHECK(shuffled.proposals.empty());
  CHECK(RefusalText(shuffled.refusals.back()) == "no-target store=4 region=7 value=0 bound=1");
}

}  // namespace
}  // namespace scheduler::test

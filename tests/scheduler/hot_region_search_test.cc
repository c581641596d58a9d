// How far balance-hot-region looks in a large cluster.
#include "scheduler/schedulers/hot_region_search.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler/schedulers/hot_region_loads.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

constexpr uint64_t kStores = 100;

/// Store 1 is read from alone. All that is left to go to shares a zone with other peers of each region.
void Pin(World& world, uint64_t hot_regions) {
  for (uint64_t id = 1; id <= kStores + 3; ++id) {
    Store& store = world.AddStore(id);
    store.labels = {{"zone", id == 1 ? "z1" : id == 3 ? "z3" : "z2"}};
    if (id == 2 || id == 3) store.pauses.leader_transfer_in = 1;
  }
  world.rules = RuleBook({DefaultRule(3, {"zone"}, "")});
  for (uint64_t i = 0; i < hot_regions; ++i) {
    Region region;
    region.id = {1000 + i};
    region.start_key = std::to_string(1000 + i);
    region.end_key = std::to_string(1001 + i);
    region.epoch = {1, 1};
    region.size_mib = 96;
    region.source = RegionSource::kHeartbeat;
    for (const uint64_t store : {1U, 2U, 3U}) {
      region.peers.push_back({{region.id.value * 10 + store}, {store}, PeerRole::kVoter, false});
    }
    region.leader = region.peers.front();
    world.PutRegion(region);
    world.region_loads[region.id].read = Load{{1000, 10, 100, 10}};
  }
  world.Refresh();
}

Decision Search(const World& world) {
  const PlanContext context = world.Context();
  const HotRegionConfig config;
  const HotRegionMemory memory;
  const HotField field = MakeField(context, config, memory, HotTask::kReadLeader, Engine::kTiKv);
  Decision decision;
  CHECK_FALSE(SearchHotPlan(context, config, memory, field, decision));
  return decision;
}

size_t CountOf(const Decision& decision, Reason reason) {
  size_t count = 0;
  for (const Refusal& refusal : decision.refusals) {
    if (refusal.reason == reason) count += refusal.times;
  }
  return count;
}

TEST_CASE("a search that is cut short says so", "[hot-region]") {
  World world;
  Pin(world, 20);
  const Decision decision = Search(world);
  CHECK(CountOf(decision, Reason::kStorePlacement) == 640);
  const auto cut = std::ranges::find(decision.refusals, Reason::kNoRegion, &Refusal::reason);
  REQUIRE(cut != decision.refusals.end());
  CHECK(RefusalText(*cut) ==
        "no-region store=1 value=64 bound=64 (read-leader cpu of one peer) x10");
  const auto last = std::ranges::find(decision.refusals, Reason::kNoTarget, &Refusal::reason);
  REQUIRE(last != decision.refusals.end());
  CHECK(RefusalText(*last) == "no-target store=1 value=640 bound=640 (read-leader cpu)");
}

TEST_CASE("what may go is found in the end, however much that may not lies before it",
          "[hot-region]") {
  World world;
  Pin(world, 20);
  SECTION("the only store that may take") {
    Store& store = *world.MutableStore(kStores + 3);
    store.labels = {{"zone", "z1"}};
  }
  SECTION("the only peer that may go") {
    world.MutableStore(2)->pauses.leader_transfer_in = 0;
    for (uint64_t id = 1000; id < 1020; ++id) {
      if (id == 1013) continue;
      Region region = *world.FindRegion({id});
      region.peers[1].witness = true;  // It does not lead.
      world.PutRegion(region);
    }
  }
  world.Refresh();
  int found = 0;
  for (int second = 0; second < 60; ++second, world.now = world.now + Seconds{1}) {
    const PlanContext context = world.Context();
    const HotRegionConfig config;
    const HotRegionMemory memory;
    const HotField field = MakeField(context, config, memory, HotTask::kReadLeader, Engine::kTiKv);
    Decision decision;
    if (SearchHotPlan(context, config, memory, field, decision)) ++found;
  }
  CHECK(found > 0);
}

TEST_CASE("one that is not has tried all", "[hot-region]") {
  World world;
  Pin(world, 3);
  for (uint64_t id = 54; id <= kStores + 3; ++id) {  // 50 are left.
    world.MutableStore(id)->pauses.leader_transfer_in = 1;
  }
  const Decision decision = Search(world);
  CHECK(CountOf(decision, Reason::kStorePlacement) == 3 * 50);
  CHECK(CountOf(decision, Reason::kNoRegion) == 0);
}

TEST_CASE("what a peer or a store has against a move is found once", "[hot-region]") {
  World world;
  Pin(world, 3);
  SECTION("peers") {
    for (const uint64_t id : {1000U, 1001U, 1002U}) {
      Region region = *world.FindRegion({id});
      region.down_peers.push_back({region.peers[1], 100});
      world.PutRegion(region);
    }
    const Decision decision = Search(world);
    CHECK(CountOf(decision, Reason::kRegionDownPeers) == 3);
    CHECK(CountOf(decision, Reason::kStorePlacement) == 0);
  }
  SECTION("stores") {
    for (uint64_t id = 4; id <= kStores + 3; ++id) world.MutableStore(id)->stats.busy = true;
    const Decision decision = Search(world);
    CHECK(CountOf(decision, Reason::kStoreBusy) == kStores);
    CHECK(CountOf(decision, Reason::kNoRegion) == 0);
  }
}

}  // namespace
}  // namespace scheduler::test

#include "tests/sim/tally.h"

#include <catch2/catch.hpp>

#include "tests/sim/least_by_load.h"

namespace sim {
namespace {

TEST_CASE("the least that has to move for load", "[tally]") {
  const Loads even{{1, {2, 2}}, {2, {4}}, {3, {1, 1, 1, 1}}};
  CHECK(LeastByLoad(even, even, 0.2) == 0);
  CHECK(LeastByLoad({}, {}, 0.2) == 0);
  const Loads idle{{1, {0, 0}}, {2, {}}};
  CHECK(LeastByLoad(idle, idle, 0.2) == 0);

  // The mean is 4: store 1 keeps 4.8 at most, store 3 gets 3.2 at least.
  const Loads uneven{{1, {1, 3, 1, 1, 1, 1}}, {2, {2, 2}}, {3, {}}};
  CHECK(LeastByLoad(uneven, even, 0.2) == 2);  // 3 and 1 go.
  CHECK(LeastByLoad(uneven, even, 0.3) == 1);  // 3 goes, and would do for store 3.
  // What was not brought nearer did not have to move.
  CHECK(LeastByLoad(uneven, uneven, 0.2) == 0);
  // Those below may need more than those above have to give up.
  CHECK(LeastByLoad({{1, {6}}, {2, {}}, {3, {}}}, even, 0.2) == 2);
}

storesim::World MakeWorld() {
  storesim::World world(storesim::Timing{}, 1);
  for (uint64_t id = 1; id <= 4; ++id) {
    storesim::Store store;
    store.id = id;
    store.labels = {{"tier", id <= 2 ? "fast" : "large"}};
    world.AddStore(store);
  }
  for (uint64_t id = 1; id <= 2; ++id) {
    storesim::Region region;
    region.id = id;
    region.start_key = id == 1 ? "" : "m";
    region.end_key = id == 1 ? "m" : "";
    region.size_bytes = 100;
    region.load.write_bytes_per_s = id == 1 ? 50 : 0;
    storesim::Peer peer;
    peer.id = 10 + id;
    peer.store_id = id == 1 ? 1 : 3;
    region.peers = {peer};
    region.leader_store = peer.store_id;
    world.AddRegion(region);
  }
  return world;
}

/// The least that leads to where the two regions have changed places.
Moves LeastOfExchange(const storesim::End& end) {
  storesim::World world = MakeWorld();
  Tally tally(end);
  for (const auto& entry : world.stores()) tally.NoteStore(entry.second);
  for (const auto& entry : world.regions()) tally.NoteRegion(entry.second);
  for (auto& [id, region] : world.regions()) {
    region.leader_store = region.peers.front().store_id = id == 1 ? 3 : 1;
  }
  return tally.MovesTo(world);
}

TEST_CASE("regions that change places move, where places are told apart", "[tally]") {
  const Moves by_sums = LeastOfExchange({});
  CHECK(by_sums.leaders_least == 0);
  CHECK(by_sums.peers_least == 0);
  storesim::End by_tier;
  by_tier.alike_by = "tier";
  const Moves by_places = LeastOfExchange(by_tier);
  CHECK(by_places.leaders_least == 2);
  CHECK(by_places.peers_least == 2);
  CHECK(by_places.bytes_least == 200);
}

}  // namespace
}  // namespace sim

#include "tests/storesim/world.h"

#include <catch2/catch.hpp>

#include "tests/storesim/balance.h"
#include "tests/storesim/convert.h"
#include "tests/storesim/spread.h"

namespace storesim {
namespace {

constexpr uint64_t kMib = 1024 * 1024;

// Stores 1 to 4 at 96 MiB/s; region 10 of 96 MiB on 1, 2, 3, led by 1.
World MakeWorld() {
  Timing timing;
  timing.conf_change_ms = 10;
  timing.transfer_leader_ms = 20;
  timing.election_ms = 1000;
  World world(timing, 1);
  for (uint64_t id = 1; id <= 4; ++id) {
    Store store;
    store.id = id;
    store.capacity_bytes = 1024 * kMib;
    store.io_bytes_per_s = 96 * kMib;
    world.AddStore(store);
  }
  for (const uint64_t id : {10U, 20U}) {
    Region region;
    region.id = id;
    region.conf_ver = 3;
    region.size_bytes = 96 * kMib;
    for (uint64_t store = 1; store <= 3; ++store) {
      Peer peer;
      peer.id = id + store;
      peer.store_id = store;
      region.peers.push_back(peer);
    }
    region.leader_store = 1;
    world.AddRegion(region);
  }
  return world;
}

StepRequest Request(const World& world, uint64_t region, Step step) {
  const Region& now = world.regions().at(region);
  return StepRequest{region, now.conf_ver, now.version, std::move(step)};
}

PeerChange Change(PeerChange::Kind kind, uint64_t id, uint64_t store) {
  PeerChange change;
  change.kind = kind;
  change.peer.id = id;
  change.peer.store_id = store;
  return change;
}

constexpr auto kAddVoter = PeerChange::Kind::kAddVoter;
constexpr auto kAddLearner = PeerChange::Kind::kAddLearner;
constexpr auto kRemove = PeerChange::Kind::kRemove;

End Within(int percent) {
  End end;
  end.balanced_within_percent = percent;
  return end;
}

TEST_CASE("a region splits at keys inside it", "[world]") {
  World world = MakeWorld();
  world.regions().at(20).start_key = "b";
  world.regions().at(20).end_key = "x";
  const auto split = [&](const SplitAt& at) {
    world.Apply(0, 1, Request(world, 20, at));
    world.Advance(10);
  };
  const std::vector<SplitIds> ids = {{31, {311, 312, 313}}, {32, {321, 322, 323}}};
  split({{"d"}, {}});  // The driver gave no ids.
  split({{"b"}, {ids[0]}});
  split({{"d", "x"}, ids});
  split({{"d", "c"}, ids});
  split({{"d"}, {{31, {311, 312}}}});
  CHECK(world.regions().size() == 2);
  CHECK(world.counters().ignored_steps == 5);
  const uint64_t used = world.stores().at(1).used_bytes;
  (void)world.TakeChanged();
  split({{"d", "h"}, ids});
  REQUIRE(world.regions().size() == 4);
  CHECK(world.TakeChanged() == std::vector<uint64_t>{31, 32, 20});
  const Region& first = world.regions().at(31);
  CHECK(first.start_key == "b");
  CHECK(first.end_key == "d");
  CHECK(first.peers[1].id == 312);
  CHECK(first.leader_store == 1);
  CHECK(world.regions().at(32).start_key == "d");
  CHECK(world.regions().at(20).start_key == "h");
  CHECK(world.regions().at(20).end_key == "x");
  for (const uint64_t id : {20U, 31U, 32U}) CHECK(world.regions().at(id).version == 3);
  CHECK(world.stores().at(1).used_bytes == used);
  CHECK(world.stores().at(1).peers == 4);
  CHECK(world.stores().at(1).leaders == 4);
}

TEST_CASE("a region merges into its neighbour", "[world]") {
  World world = MakeWorld();
  world.regions().at(10).start_key = "a";
  world.regions().at(10).end_key = "m";
  world.regions().at(20).start_key = "m";
  world.regions().at(20).version = 4;
  const auto merge = [&](const MergeInto& into) {
    world.Apply(0, 1, Request(world, 10, into));
    world.Advance(10);
  };
  merge({20, 3, 3});  // Not as the driver saw it.
  merge({30, 3, 4});
  world.regions().at(20).peers[2].role = Role::kLearner;
  merge({20, 3, 4});
  world.regions().at(20).peers[2].role = Role::kVoter;
  world.regions().at(20).start_key = "n";
  merge({20, 3, 4});
  world.regions().at(20).start_key = "m";
  CHECK(world.regions().size() == 2);
  CHECK(world.counters().ignored_steps == 4);
  const uint64_t used = world.stores().at(1).used_bytes;
  (void)world.TakeChanged();
  merge({20, 3, 4});
  REQUIRE(world.regions().size() == 1);
  CHECK(world.TakeChanged() == std::vector<uint64_t>{20});
  const Region& joint = world.regions().at(20);
  CHECK(joint.start_key == "a");
  CHECK(joint.end_key.empty());
  CHECK(joint.version == 5);
  CHECK(joint.size_bytes == 2 * 96 * kMib);
  CHECK(world.stores().at(1).used_bytes == used);
  CHECK(world.stores().at(1).peers == 1);
  CHECK(world.stores().at(1).leaders == 1);
}

TEST_CASE("no peer arrives faster than its size over the rate") {
  World world = MakeWorld();
  for (const uint64_t region : {10U, 20U}) {
    world.Apply(0, 1, Request(world, region, ChangePeers{{Change(kAddLearner, region + 4, 4)}}));
  }
  world.Advance(10);
  const Region& first = world.regions().at(10);
  const Region& second = world.regions().at(20);
  REQUIRE(first.PeerOn(4) != nullptr);
  CHECK(first.PeerOn(4)->role == Role::kLearner);
  CHECK(first.conf_ver == 4);
  world.Advance(1009);
  CHECK(first.PeerOn(4)->pending);
  world.Advance(1010);
  CHECK_FALSE(first.PeerOn(4)->pending);
  // Both share the way: the second comes a second later.
  CHECK(second.PeerOn(4)->pending);
  world.Advance(2009);
  CHECK(second.PeerOn(4)->pending);
  world.Advance(2010);
  CHECK_FALSE(second.PeerOn(4)->pending);
  CHECK(world.running() == 0);
  CHECK(world.counters().bytes_moved == 192 * kMib);
}

TEST_CASE("a joint change replaces a voter and counts each role that it passes") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 10, ChangePeers{{Change(kAddLearner, 14, 4)}}));
  world.Advance(5000);
  world.Apply(
      5000, 1,
      Request(world, 10, ChangePeers{{Change(kAddVoter, 14, 4), Change(kAddLearner, 13, 3)}}));
  world.Advance(6000);
  const Region& region = world.regions().at(10);
  CHECK(region.PeerOn(4)->role == Role::kIncomingVoter);
  CHECK(region.PeerOn(3)->role == Role::kDemotingVoter);
  CHECK(region.conf_ver == 6);
  world.Apply(6000, 1, Request(world, 10, ChangePeers{}));
  world.Advance(7000);
  CHECK(region.PeerOn(4)->role == Role::kVoter);
  CHECK(region.PeerOn(3)->role == Role::kLearner);
  CHECK(region.conf_ver == 8);
  world.Apply(7000, 1, Request(world, 10, ChangePeers{{Change(kRemove, 13, 3)}}));
  world.Advance(8000);
  CHECK(region.PeerOn(3) == nullptr);
  CHECK(world.stores().at(3).peers == 1);
  CHECK(world.stores().at(4).peers == 1);
}

TEST_CASE("steps that a store would refuse change nothing") {
  World world = MakeWorld();
  const Region& region = world.regions().at(10);
  StepRequest stale = Request(world, 10, ChangePeers{{Change(kRemove, 13, 3)}});
  stale.conf_ver = 2;
  world.Apply(0, 1, stale);
  world.Apply(0, 2, Request(world, 10, ChangePeers{{Change(kRemove, 13, 3)}}));
  world.Advance(100);
  CHECK(region.peers.size() == 3);
  // The leader does not remove itself; a peer of another id is not promoted; one of two changes is impossible.
  for (const ChangePeers& change :
       {ChangePeers{{Change(kRemove, 11, 1)}}, ChangePeers{{Change(kAddVoter, 99, 3)}},
        ChangePeers{{Change(kAddVoter, 14, 4), Change(kRemove, 13, 3)}}, ChangePeers{}}) {
    world.Apply(200, 1, Request(world, 10, change));
    world.Advance(300);
    CHECK(region.peers.size() == 3);
    CHECK(region.conf_ver == 3);
  }
  CHECK(world.counters().ignored_steps == 6);
  CHECK(world.stores().at(4).peers == 0);
}

TEST_CASE("leadership moves to voters on up stores only") {
  World world = MakeWorld();
  world.Kill(0, 2);
  world.Apply(0, 1, Request(world, 10, MoveLeader{{2, 4, 3}}));
  world.Advance(20);
  CHECK(world.regions().at(10).leader_store == 3);
  CHECK(world.stores().at(1).leaders == 1);
  CHECK(world.stores().at(3).leaders == 1);
}

TEST_CASE("a dead store's regions elect among the rest, and lost snapshots come again") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 10, ChangePeers{{Change(kAddLearner, 14, 4)}}));
  world.Advance(10);
  world.Kill(500, 1);
  CHECK(world.ShortOfReplicas(3) == 2);
  world.Advance(2500);
  const Region& region = world.regions().at(10);
  CHECK((region.leader_store == 2 || region.leader_store == 3));
  CHECK(region.PeerOn(4)->pending);
  world.Advance(10'000);
  CHECK_FALSE(region.PeerOn(4)->pending);
  world.Kill(10'000, 2);
  world.Kill(10'000, 3);
  world.Advance(20'000);
  CHECK(region.leader_store == 0);
  world.Revive(20'000, 2);
  world.Advance(30'000);
  CHECK(region.leader_store == 0);
  world.Revive(30'000, 1);
  world.Advance(40'000);
  CHECK(region.leader_store != 0);
}

TEST_CASE("a leader that is back before the election sends its lost snapshots again") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 10, ChangePeers{{Change(kAddLearner, 14, 4)}}));
  world.Advance(10);
  world.Kill(500, 1);
  CHECK(world.running() == 0);  // The snapshot is lost with its sender.
  CHECK(world.stores().at(4).receiving == 0);
  world.Advance(1100);
  world.Revive(1200, 1);
  world.Advance(2199);
  const Region& region = world.regions().at(10);
  CHECK(region.leader_store == 1);
  CHECK(region.PeerOn(4)->pending);
  world.Advance(2200);
  CHECK_FALSE(region.PeerOn(4)->pending);
  world.Advance(10'000);
  CHECK(world.counters().snapshots == 1);
}

TEST_CASE("a store that is back hears the snapshots that it missed, each once") {
  World world = MakeWorld();
  for (const uint64_t region : {10U, 20U}) {
    world.Apply(0, 1, Request(world, region, ChangePeers{{Change(kAddLearner, region + 4, 4)}}));
  }
  world.Advance(10);
  world.Kill(500, 4);
  world.Revive(600, 4);
  // A short absence loses the snapshots too; the sender's time that they took is spent.
  world.Advance(2599);
  CHECK(world.counters().snapshots == 0);
  CHECK(world.stores().at(1).sending == 2);
  world.Advance(10'000);
  CHECK(world.counters().snapshots == 2);
  CHECK(world.stores().at(4).pending == 0);
}

TEST_CASE("balance waits for peers that are pending on up stores") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 20, MoveLeader{{2}}));
  world.Apply(0, 1, Request(world, 10, ChangePeers{{Change(kAddLearner, 14, 4)}}));
  world.Advance(20);
  CHECK(world.stores().at(4).pending == 1);
  CHECK_FALSE(IsBalanced(world, Within(300)));
  world.Kill(500, 4);
  CHECK(IsBalanced(world, Within(300)));  // Nobody waits for a dead store.
  world.Revive(600, 4);
  CHECK_FALSE(IsBalanced(world, Within(300)));
  world.Advance(5000);
  CHECK(IsBalanced(world, Within(300)));
}

TEST_CASE("a removed peer is no longer waited for") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 10, ChangePeers{{Change(kAddLearner, 14, 4)}}));
  world.Advance(10);
  world.Apply(20, 1, Request(world, 10, ChangePeers{{Change(kRemove, 14, 4)}}));
  world.Advance(100);
  CHECK(world.stores().at(4).pending == 0);
}

TEST_CASE("a region is asked for until the driver says that nothing runs there") {
  std::map<uint64_t, DriverSays> says{{10, DriverSays::kNothingRuns}, {20, DriverSays::kRunning}};
  std::vector<uint64_t> asked;
  const auto ask = [&](uint64_t region) {
    asked.push_back(region);
    return says.at(region);
  };
  TouchedRegions touched;
  CHECK(touched.Ask(ask, 100) == DriverSays::kNothingRuns);
  touched.Touch(10);
  touched.Touch(20);
  CHECK(touched.Ask(ask, 100) == DriverSays::kRunning);
  says[20] = DriverSays::kNoAnswer;
  CHECK(touched.Ask(ask, 100) == DriverSays::kNoAnswer);
  CHECK(asked == std::vector<uint64_t>{10, 20, 20});  // Ten was let go.
  says[20] = DriverSays::kNothingRuns;
  CHECK(touched.Ask(ask, 100) == DriverSays::kNothingRuns);
  // A few at a time: not all are known yet.
  touched.Touch(10);
  touched.Touch(20);
  CHECK(touched.Ask(ask, 1) == DriverSays::kNoAnswer);
  CHECK(touched.Ask(ask, 1) == DriverSays::kNothingRuns);
}

TEST_CASE("only a driver that answers can say that nothing runs") {
  pdpb::GetOperatorResponse response;
  const grpc::Status lost(grpc::StatusCode::UNAVAILABLE, "");
  CHECK(ReadOperator(lost, response) == DriverSays::kNoAnswer);
  response.set_status(pdpb::RUNNING);
  CHECK(ReadOperator(grpc::Status::OK, response) == DriverSays::kRunning);
  response.set_status(pdpb::SUCCESS);
  CHECK(ReadOperator(grpc::Status::OK, response) == DriverSays::kNothingRuns);
  response.mutable_header()->mutable_error()->set_type(pdpb::NOT_BOOTSTRAPPED);
  CHECK(ReadOperator(grpc::Status::OK, response) == DriverSays::kNoAnswer);
  response.mutable_header()->mutable_error()->set_type(pdpb::REGION_NOT_FOUND);
  CHECK(ReadOperator(grpc::Status::OK, response) == DriverSays::kNothingRuns);
}

TEST_CASE("balance is judged over up stores that stay") {
  World world = MakeWorld();
  CHECK_FALSE(
      IsBalanced(world, Within(5)));  // Two leaders on store 1, none elsewhere: the mean is a half.
  world.Apply(0, 1, Request(world, 20, MoveLeader{{2}}));
  world.Advance(20);
  world.stores().at(4).removing = true;
  CHECK(IsBalanced(world, Within(5)));
}

TEST_CASE("balance is judged among stores that are alike, by weight and load") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 20, MoveLeader{{2}}));
  world.Advance(20);
  world.stores().at(4).removing = true;
  End end = Within(5);
  world.regions().at(10).load = {100, 0};
  CHECK(IsBalanced(world, end));
  end.hot_within_percent = 20;
  CHECK(IsBalanced(world, end));  // Every store writes it.
  world.regions().at(10).load = {0, 100};
  CHECK_FALSE(IsBalanced(world, end));  // Its leader alone reads.
  world.regions().at(20).load = {0, 100};
  CHECK_FALSE(IsBalanced(world, end));  // Store 3 leads neither.
  for (uint64_t id = 1; id <= 3; ++id) world.stores().at(id).labels["zone"] = std::to_string(id);
  end.alike_by = "zone";
  CHECK(IsBalanced(world, end));

  end = Within(5);
  world.stores().at(1).leaders = 20;
  world.stores().at(2).leaders = 10;
  world.stores().at(3).leaders = 10;
  CHECK_FALSE(IsBalanced(world, end));
  world.stores().at(1).leader_weight = 2;
  CHECK(IsBalanced(world, end));
}

TEST_CASE("the watch wants quiet") {
  World world = MakeWorld();
  world.Apply(0, 1, Request(world, 20, MoveLeader{{2}}));
  End end;
  end.quiet_ms = 1000;
  end.balanced_within_percent = 200;
  BalanceWatch watch(end, 3);
  CHECK_FALSE(watch.Look(0, world));  // A step is under way.
  world.Advance(20);
  CHECK_FALSE(watch.Look(20, world));
  CHECK_FALSE(watch.Look(1019, world));
  CHECK(watch.Look(1020, world));
  CHECK(watch.balanced_since_ms() == 20);
  watch.Disturb();
  CHECK_FALSE(watch.Look(1021, world));
}

TEST_CASE("scenarios are read strictly") {
  const Scenario scenario = ParseScenario(R"({
    "name": "x", "replicas": 2,
    "stores": [{"count": 2, "capacity_gib": 1, "io_mib_per_s": 10, "labels": {"host": "h{n}"}}],
    "regions": {"count": 3, "size_mib": 96},
    "events": [{"at_s": 2, "kill": 1}, {"at_s": 1, "hot_spot": {"count": 2, "write_kib_per_s": 1}}]
  })");
  CHECK(scenario.stores.at(0).io_bytes_per_s == 10 * kMib);
  CHECK(scenario.events.at(0).at_ms == 1000);
  CHECK(std::get<KillStore>(scenario.events.at(1).what).store == 1);
  const std::string stores = R"("stores": [{"count": 3, "capacity_gib": 1, "io_mib_per_s": 1}])";
  for (const std::string bad :
       {R"({"replica": 3})", R"({"stores": [{"count": 0}]})", R"({})",
        R"({"events": [{"at_s": 1}]})", R"({"regions": {"count": "x"}})",
        R"({"regions": {"on_stores": [9]}})", R"({"timing": {"election_s": -1}})"}) {
    const std::string text = bad.find("stores\": [{") == std::string::npos && bad != "{}"
                                 ? bad.substr(0, bad.size() - 1) + "," + stores + "}"
                                 : bad;
    INFO(text);
    CHECK_THROWS_AS(ParseScenario(text), std::runtime_error);
  }
}

}  // namespace
}  // namespace storesim

// What heartbeats of stores bring, and what lasts of it.
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "pd/cluster/cluster.h"
#include "pd/codec/cluster_codec.h"
#include "scheduler/stats/score.h"
#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::FirstRegion;
using test::FirstStore;
using test::OneMember;

using namespace std::chrono_literals;
using scheduler::Store;
using scheduler::StoreId;

TEST_CASE("a slow store wakes the regions of the others, at most once in ten minutes each",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  for (const uint64_t id : {2U, 3U, 4U}) REQUIRE(stores.Put(test::MakeStore(id)));
  const auto beat = [&](uint64_t id, uint64_t slow_score) {
    scheduler::StoreStats stats;
    stats.slow_score = slow_score;
    REQUIRE(stores.OnHeartbeat({StoreId{id}, stats, ""}));
  };
  using Ids = std::vector<StoreId>;
  beat(2, 79);
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(2, 80);
  CHECK(stores.WakeFor(StoreId{2}).empty());
  CHECK(stores.WakeFor(StoreId{9}).empty());
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{2}});
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(4, 100);
  CHECK(stores.WakeFor(StoreId{3}) == Ids{StoreId{2}, StoreId{4}});

  server.moved.ahead = 9min;
  CHECK(stores.WakeFor(StoreId{1}).empty());
  server.moved.ahead = 11min;
  beat(2, 1);
  REQUIRE(stores.Modify(StoreId{3}, [](Store& store) {
    store.node_state = scheduler::NodeState::kRemoved;
    store.stats.slow_score = 100;
  }));
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{4}});
  beat(4, 1);
  server.moved.ahead = 22min;
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(4, 80);  // That nobody was slow used nothing up.
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{4}});
}

TEST_CASE("heartbeats of a store that is slow on the network are counted", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  for (const uint64_t id : {2U, 3U}) REQUIRE(stores.Put(test::MakeStore(id)));
  Store flash = test::MakeStore(4);
  flash.labels = {{"engine", "tiflash"}};
  REQUIRE(stores.Put(flash));
  const auto beat = [&](const std::map<uint64_t, uint64_t>& scores) {
    scheduler::StoreStats stats;
    stats.network_slow_scores = scores;
    REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
    return stores.Find(StoreId{1})->network_slow_heartbeats;
  };
  CHECK(beat({}) == 0);
  CHECK(beat({{2, 100}}) == 0);  // Store 3 is not named: its score is 1, the mean 50.
  CHECK(beat({{2, 100}, {3, 98}}) == 1);
  CHECK(beat({{2, 100}, {3, 100}}) == 2);
  CHECK(beat({{2, 100}, {3, 2}}) == 2);  // Neither slow nor well.
  CHECK(beat({{2, 100}, {3, 100}}) == 3);
  CHECK(beat({{2, 1}, {3, 1}, {4, 100}}) == 0);  // TiFlash has no say.
  for (int i = 0; i < 9; ++i) beat({{2, 100}, {3, 100}});
  CHECK(beat({{2, 100}, {3, 100}}) == 6);  // More are not needed.
}

TEST_CASE("stores keep what was set, and forget statistics", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    StoreTable& stores = server.cluster().stores();
    Store second = FirstStore();
    second.id = StoreId{2};
    second.address = "tikv2:20160";
    second.labels = {{"zone", "z1"}};
    REQUIRE(stores.Put(second));
    second.labels = {{"Zone", "z2"}, {"host", "h"}};
    REQUIRE(stores.Put(second));
    REQUIRE(stores.SetWeights(StoreId{2}, 0.5, 2));
    scheduler::StoreStats stats;
    stats.capacity_bytes = 100;
    REQUIRE(stores.OnHeartbeat({StoreId{2}, stats, "raw"}));
    CHECK(stores.Find(StoreId{2})->stats.capacity_bytes == 100);
    CHECK(stores.RawStats(StoreId{2}) == "raw");
    CHECK_FALSE(stores.OnHeartbeat({StoreId{9}, {}, ""}));
    CHECK(stores.DeleteLabel(StoreId{2}, "none").error().context ==
          "the label key none does not exist");
  }
  OneMember server(database);
  const auto store = server.cluster().stores().Find(StoreId{2});
  REQUIRE(store);
  CHECK(store->labels == std::vector<scheduler::StoreLabel>{{"Zone", "z2"}, {"host", "h"}});
  CHECK(store->leader_weight == 0.5);
  CHECK(store->region_weight == 2);
  CHECK_FALSE(store->has_stats);
}

TEST_CASE("a store that is heard before its regions are is not taken to have got them since") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  const auto free_gib = [&] {
    return scheduler::AvailableBytesNow(*stores.Find(StoreId{1})) / static_cast<double>(1U << 30U);
  };
  const auto beat = [&](uint32_t regions) {
    scheduler::StoreStats stats;
    stats.capacity_bytes = 100ULL << 30U;
    stats.available_bytes = 60ULL << 30U;
    stats.used_bytes = 40ULL << 30U;
    stats.region_count = regions;
    REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  };
  const auto report = [&](uint64_t size_mib) {
    scheduler::Region region = test::Reported(2, "", "", 2);
    region.size_mib = size_mib;
    REQUIRE(server.cluster().HandleRegionReport(region));
  };
  report(1);
  beat(20);  // Of which one is known.
  report(40'960);
  CHECK(free_gib() == 60);
  beat(1);
  CHECK(free_gib() == 60);
  report(51'200);  // What comes from then on takes space.
  CHECK(free_gib() < 60);
  beat(20);  // Many are missing again.
  CHECK(free_gib() == 60);
}

TEST_CASE("a heartbeat takes no change of its store back, and a store with peers stays",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  const auto stored = [&] { return *DecodeStore(server.meta().Get(key).value()->value); };
  Store removing = stored();
  removing.state = scheduler::StoreState::kOffline;
  removing.node_state = scheduler::NodeState::kRemoving;
  REQUIRE(server.meta().Put(key, EncodeStore(removing), Millis{5000}));  // Not shown yet.
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  REQUIRE(Eventually([&] { return stored().last_heartbeat_unix_ns != 0; }));
  CHECK(stored().IsRemoving());

  REQUIRE(Eventually([&] { return stores.Find(StoreId{1})->counts.followers == 1; }));
  REQUIRE(stores.Modify(StoreId{1}, [](Store& store) {
    store.state = scheduler::StoreState::kOffline;
    store.node_state = scheduler::NodeState::kRemoving;
  }));
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{1})->IsRemoving());
}

TEST_CASE("the time of a heartbeat is saved with a later one when it could not be", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  REQUIRE(server.meta().Delete(key, "", Millis{5000}));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  stores.SaveHeartbeats();
  REQUIRE(server.meta().Put(key, EncodeStore(FirstStore()), Millis{5000}));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  const auto saved = [&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns;
  };
  stores.SaveHeartbeats();
  const int64_t first = saved();
  CHECK(first != 0);
  // Not with every one.
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  stores.SaveHeartbeats();
  CHECK(saved() == first);
  server.moved.ahead = 6min;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  CHECK(Eventually([&] { return saved() > first; }));  // By the job.
}

TEST_CASE("a store heartbeat does not wait for Raft", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  test::StalledDisk disk(database);
  const SystemClock clock;
  const Nanos begun = clock.Monotonic();
  const bool answered = stores.OnHeartbeat({StoreId{1}, {}, ""}).has_value();
  const Nanos taken = clock.Monotonic() - begun;
  disk.Release();
  CHECK(answered);
  CHECK(taken < 2s);
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(Eventually([&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0;
  }));
}

TEST_CASE("a store heartbeat is answered once its time is written", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  database.OnWrite([](Durability) { std::this_thread::sleep_for(20ms); });
  server.moved.stands = true;  // It does not lose patience.
  REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0);
  server.moved.stands = false;
  database.OnWrite(nullptr);
}

TEST_CASE("a store heartbeat is answered though its time cannot be written", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  test::StalledDisk disk(database);
  CHECK(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
  disk.Release();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(Eventually([&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0;
  }));
}

}  // namespace
}  // namespace pd

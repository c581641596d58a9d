// From when on a leader knows enough.
#include <chrono>

#include <catch2/catch.hpp>

#include "pd/cluster/cluster.h"
#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::FirstRegion;
using test::FirstStore;
using test::OneMember;
using test::Reported;

using namespace std::chrono_literals;
using scheduler::Region;
using scheduler::Store;
using scheduler::StoreId;

TEST_CASE("a lead that is won again waits for reports of its own", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  REQUIRE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  const Region low = Reported(2, "", "m", 2);
  Region high = Reported(3, "m", "", 2);
  high.pending_peers = {high.peers[0]};
  REQUIRE(cluster.HandleRegionReport(low));
  REQUIRE(cluster.HandleRegionReport(high));
  REQUIRE(cluster.IsPrepared());
  cluster.OnLeaderStop();
  CHECK(cluster.regions().refreshed() == 0);
  REQUIRE(cluster.OnLeaderStart(server.term()));
  CHECK(cluster.regions().size() == 2);
  CHECK_FALSE(cluster.IsPrepared());
  // Without any news.
  REQUIRE(cluster.HandleRegionReport(low));
  CHECK_FALSE(cluster.IsPrepared());
  REQUIRE(cluster.HandleRegionReport(high));
  CHECK(cluster.regions().refreshed() == 2);
  CHECK(cluster.regions().SumsOf(StoreId{1}).refreshed == 2);
  CHECK(cluster.IsPrepared());
}

TEST_CASE("a new leader gives the stores of its predecessor time to speak up", "[cluster]") {
  constexpr auto kMinutes = std::chrono::minutes(7);
  test::FakeDatabase database;
  {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes});
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(server.cluster().stores().Put(test::MakeStore(2)));  // Never heard.
    REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    server.cluster().DoDue();
  }
  const auto unheard = [](double seconds) {
    return scheduler::Refusal{scheduler::Reason::kStoresUnheard, StoreId{1}, {}, seconds, 20, {}};
  };
  SECTION("that they take") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().RefuseUnprepared() == unheard(0));
    CHECK_FALSE(server.cluster().IsPrepared());
    REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
    CHECK(server.cluster().IsPrepared());
  }
  SECTION("not counting the time in which it cannot hear them yet") {
    const auto loads_slowly = [&](OneMember& server) {
      server.moved.on_unix_nanos = [&] { server.moved.StandAt(kMinutes + 60s); };
    };
    OneMember server(database, loads_slowly, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().RefuseUnprepared() == unheard(0));
  }
  SECTION("and no more") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    server.moved.StandAt(kMinutes + 49s);
    CHECK(server.cluster().RefuseUnprepared() == unheard(19));
    CHECK_FALSE(server.cluster().IsPrepared());
    server.moved.StandAt(kMinutes + 50s);
    CHECK(server.cluster().IsPrepared());
  }
  SECTION("unless they were lost before") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 31min});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().IsPrepared());
  }
}

TEST_CASE("an empty store is buried once enough regions have reported to this leader",
          "[cluster]") {
  test::FakeDatabase database;
  const auto leave = [](StoreTable& stores, uint64_t id) {
    REQUIRE(stores.Modify(StoreId{id}, [](Store& store) {
      store.state = scheduler::StoreState::kOffline;
      store.node_state = scheduler::NodeState::kRemoving;
    }));
  };
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    StoreTable& stores = server.cluster().stores();
    for (const uint64_t id : {2U, 3U}) REQUIRE(stores.Put(test::MakeStore(id)));
    // No earlier leader was told anything.
    CHECK_FALSE(server.cluster().IsPrepared());
    leave(stores, 3);
    stores.UpdateStates();
    CHECK(stores.Find(StoreId{3})->IsRemoved());
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
    REQUIRE(Eventually([&] { return server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  StoreTable& stores = server.cluster().stores();
  leave(stores, 2);
  scheduler::StoreStats stats;
  stats.region_count = 2;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK_FALSE(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoving());

  // Of all known regions, but not of those that store 1 says it holds.
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
  CHECK_FALSE(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoving());

  REQUIRE(server.cluster().HandleRegionReport(Reported(5, "m", "", 2)));
  CHECK(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoved());

  // Known for as long as this member leads, whatever stores say later; not any longer.
  stats.region_count = 100;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK(server.cluster().IsPrepared());
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK_FALSE(server.cluster().IsPrepared());
}

}  // namespace
}  // namespace pd

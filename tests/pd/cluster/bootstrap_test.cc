// How a cluster begins.
#include <utility>

#include <catch2/catch.hpp>

#include "pd/cluster/cluster.h"
#include "pd/codec/cluster_codec.h"
#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::FirstRegion;
using test::FirstStore;
using test::kClusterId;
using test::OneMember;
using test::Reported;

using scheduler::PeerId;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::Store;
using scheduler::StoreId;

TEST_CASE("a cluster is bootstrapped once, and is there after a restart", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    CHECK_FALSE(server.cluster().running());
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    CHECK(server.cluster().running());
    const auto again = server.cluster().Bootstrap(FirstStore(), FirstRegion());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::kAlreadyExists);
    CHECK(server.cluster().regions().Find(RegionId{2}) == FirstRegion());
    CHECK(server.meta().Get("/pd/7/raft/r/00000000000000000002").value());
    CHECK_FALSE(server.cluster().IsInitialized());
    CHECK(Eventually(
        [&] { return server.cluster().stores().Find(StoreId{1})->counts.followers == 1; }));
  }
  OneMember server(database);
  CHECK(server.cluster().running());
  CHECK(server.cluster().bootstrap_time_unix_ns() > 0);
  CHECK(server.cluster().stores().Find(StoreId{1})->address == "tikv1:20160");
}

TEST_CASE("a bootstrapped region lasts from its first report on", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  }
  {
    // Nobody reported it: a later leader knows it by key alone, for a store that missed its bootstrap's answer.
    OneMember server(database);
    const RegionTable& regions = server.cluster().regions();
    CHECK_FALSE(regions.Find(RegionId{2}));
    CHECK(regions.size() == 0);
    CHECK(regions.FindByKey("") == FirstRegion());
    CHECK(server.cluster().AskSplit(FirstRegion(), 1));
    CHECK_FALSE(server.meta().Region(2).value());
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 1)));
    CHECK(regions.FindByKey("")->HasLeader());
    REQUIRE(Eventually([&] { return server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().Find(RegionId{2}));
  // What is forgotten after that is not found in the bootstrap's record either.
  server.cluster().regions().Clear();
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK_FALSE(server.cluster().regions().FindByKey(""));
}

TEST_CASE("bootstrap says what is wrong, in the reference's order", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  const auto refusal = [&](const std::optional<Store>& store, const std::optional<Region>& region) {
    const auto done = server.cluster().Bootstrap(store, region);
    return done ? "" : done.error().context;
  };
  CHECK(refusal({}, {}) == "missing store meta for bootstrap 7");
  CHECK(refusal(Store{}, {}) == "invalid zero store id");
  CHECK(refusal(FirstStore(), {}) == "missing region meta for bootstrap 7");
  Region region = FirstRegion();
  region.start_key = "a";
  CHECK(refusal(FirstStore(), region) ==
        "invalid first region key range, must all be empty for bootstrap 7");
  region = FirstRegion();
  region.id = RegionId{0};
  CHECK(refusal(FirstStore(), region) == "invalid zero region id");
  region = FirstRegion();
  region.peers.push_back({PeerId{4}, StoreId{1}});
  CHECK(refusal(FirstStore(), region) ==
        "invalid first region peer count 2, must be 1 for bootstrap 7");
  region = FirstRegion();
  region.peers[0].store = StoreId{9};
  CHECK(refusal(FirstStore(), region) == "invalid peer store id 9 != 1 for bootstrap 7");
  region = FirstRegion();
  region.peers[0].id = PeerId{0};
  CHECK(refusal(FirstStore(), region) == "invalid zero peer id");
  CHECK_FALSE(server.cluster().running());
}

TEST_CASE("a bootstrap that outlives the lead starts nothing", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  server.cluster().OnLeaderStop();
  const auto done = server.cluster().Bootstrap(FirstStore(), FirstRegion());
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kNotLeader);
  CHECK_FALSE(server.cluster().running());
  CHECK(server.cluster().stores().All().empty());
}

TEST_CASE("a bootstrap that is late leaves a later lead alone", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  // Committed, but its thread goes on only after the lead was lost and won again.
  bool late = false;
  server.on_cluster_id = [&] {
    if (late || !server.meta().Get(ClusterPaths(kClusterId).Cluster()).value()) return;
    late = true;
    cluster.OnLeaderStop();
    REQUIRE(cluster.OnLeaderStart(server.term() + 1));
  };
  const auto done = cluster.Bootstrap(FirstStore(), FirstRegion());
  REQUIRE(late);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kNotLeader);
  CHECK(cluster.running());
  CHECK(cluster.stores().Contains(StoreId{1}));
  // Writes belong to the later term, which Raft has not come to here.
  CHECK_FALSE(cluster.stores().SetWeights(StoreId{1}, 2, 2));
}

TEST_CASE("the loser of two bootstraps takes nothing back from the running cluster", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  const ClusterPaths paths(kClusterId);
  REQUIRE(server.meta().Put(paths.Cluster(), EncodeClusterMeta({kClusterId, 3}), Millis{5000}));
  REQUIRE(server.meta().Put(paths.Store(1), EncodeStore(FirstStore()), Millis{5000}));
  bool put = false;
  const auto put_second = [&] {
    if (std::exchange(put, true)) return;
    Store second = FirstStore();
    second.id = StoreId{2};
    second.address = "tikv2:20160";
    REQUIRE(cluster.stores().Put(second));
  };
  // Both have lost by now, to an earlier try. The other one is done before this one reads; then a store comes, at the
  // worst moment of a second reading if there is one.
  int calls = 0;
  server.on_cluster_id = [&] {
    if (++calls == 4) CHECK_FALSE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  };
  server.moved.on_unix_nanos = [&] {
    if (cluster.running()) put_second();
  };
  CHECK_FALSE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  REQUIRE(calls > 4);
  REQUIRE(cluster.running());
  server.moved.on_unix_nanos = nullptr;
  put_second();
  CHECK(cluster.stores().Contains(StoreId{2}));
}

TEST_CASE("a bootstrap whose answer was lost is found by the next try", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  const ClusterPaths paths(kClusterId);
  REQUIRE(server.meta().Put(paths.Cluster(), EncodeClusterMeta({kClusterId, 3}), Millis{5000}));
  CHECK_FALSE(server.cluster().running());
  const auto again = server.cluster().Bootstrap(FirstStore(), FirstRegion());
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kConflict);
  CHECK(server.cluster().running());
}

TEST_CASE("one region is a whole cluster only with the first key and all its replicas",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  Region whole = Reported(2, "", "", 2);
  whole.peers.push_back({PeerId{4}, StoreId{2}});
  whole.peers.push_back({PeerId{5}, StoreId{3}});
  whole.pending_peers = {whole.peers[2]};
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK_FALSE(server.cluster().IsInitialized());
  whole.pending_peers.clear();
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK(server.cluster().IsInitialized());
  whole.start_key = "a";
  whole.epoch.version = 3;
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK_FALSE(server.cluster().IsInitialized());
  REQUIRE(server.cluster().HandleRegionReport(Reported(9, "", "a", 3)));
  CHECK(server.cluster().IsInitialized());
}

}  // namespace
}  // namespace pd

#include "pd/cluster/cluster.h"

#include <catch2/catch.hpp>

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

using scheduler::Region;
using scheduler::RegionId;

TEST_CASE("what heartbeats bring lasts", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "m", "", 2)));
    REQUIRE(server.cluster().HandleRegionReport(Reported(5, "", "m", 2)));
    const auto stale = server.cluster().HandleRegionReport(Reported(2, "", "", 1));
    REQUIRE_FALSE(stale);
    CHECK(stale.error().code == ErrorCode::kStaleEpoch);
    // Saved behind the heartbeats' back.
    REQUIRE(Eventually([&] { return server.meta().Region(5).value().has_value(); }));
    REQUIRE(Eventually([&] { return server.meta().Region(2).value()->version == 2; }));
    // A merge takes the record of the region that is gone along.
    REQUIRE(server.cluster().HandleRegionReport(Reported(5, "", "", 4)));
    REQUIRE(Eventually([&] { return !server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().size() == 1);
  CHECK(server.cluster().regions().FindByKey("x")->id == RegionId{5});
}

TEST_CASE("a region's encryption meta lasts with its record", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    Region first = FirstRegion();
    first.encryption_meta = "\x08\x01";  // key_id 1, as in a metapb.Region.
    REQUIRE(server.cluster().Bootstrap(FirstStore(), first));
  }
  const auto saved = [](OneMember& server) {
    const auto record = server.meta().Region(2).value();
    return record ? record->encryption_meta : "none";
  };
  {
    OneMember server(database);
    CHECK(server.cluster().regions().FindByKey("")->encryption_meta == "\x08\x01");
    Region report = Reported(2, "", "", 2);
    report.encryption_meta = "\x08\x02";
    REQUIRE(server.cluster().HandleRegionReport(report));
    REQUIRE(Eventually([&] { return saved(server) == "\x08\x02"; }));
    report.encryption_meta = "\x08\x03";  // With the epoch of before.
    REQUIRE(server.cluster().HandleRegionReport(report));
    REQUIRE(Eventually([&] { return saved(server) == "\x08\x03"; }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().Find(RegionId{2})->encryption_meta == "\x08\x03");
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
  REQUIRE(Eventually([&] { return saved(server).empty(); }));
  CHECK(server.cluster().regions().Find(RegionId{2})->encryption_meta.empty());
}

TEST_CASE("split ids come in a row, region first", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const auto splits = server.cluster().AskSplit(FirstRegion(), 2);
  REQUIRE(splits);
  REQUIRE(splits->size() == 2);
  CHECK((*splits)[1].region_id == (*splits)[0].peer_ids.back() + 1);
  Region older = FirstRegion();
  older.epoch = {0, 1};
  CHECK(server.cluster().AskSplit(older, 1).error().context ==
        "invalid region epoch, request: version:1 , current: conf_ver:1 version:1 ");
  CHECK(server.cluster().AskSplit(FirstRegion(), 4'000'000'000U).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("observers hear of splits that are granted for a reason", "[cluster]") {
  struct Ear final : RegionObserver {
    void OnRegionReported(const Region&, const scheduler::RegionChange&) override {}
    void OnSplitGranted(const GrantedSplit& split) override { heard.push_back(split); }
    std::vector<GrantedSplit> heard;
  };
  Ear ear;
  test::FakeDatabase database;
  OneMember server(database, [&](OneMember& member) { member.cluster().AddObserver(ear); });
  Cluster& cluster = server.cluster();
  REQUIRE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  REQUIRE(cluster.HandleRegionReport(Reported(2, "", "m", 5)));
  constexpr auto kLoad = scheduler::SplitReason::kLoad;

  // Nobody splits: nothing was asked for, nothing granted, or no reason given.
  REQUIRE(cluster.AskSplit(Reported(2, "", "m", 5), 0, kLoad));
  CHECK_FALSE(cluster.AskSplit(Reported(2, "", "m", 4), 1, kLoad));
  REQUIRE(cluster.AskSplit(Reported(2, "", "m", 5), 1));
  CHECK(ear.heard.empty());

  const auto splits = cluster.AskSplit(Reported(2, "", "m", 5), 2, kLoad);
  REQUIRE(splits);
  REQUIRE(ear.heard.size() == 1);
  const GrantedSplit& split = ear.heard[0];
  CHECK(split.source == RegionId{2});
  CHECK(split.version == 5);
  CHECK(split.range == scheduler::KeyRange{"", "m"});
  CHECK(split.regions == std::vector<RegionId>{{(*splits)[0].region_id}, {(*splits)[1].region_id}});
  CHECK(split.reason == kLoad);
  // A store may know more of a region than this server does: that it has split, and is another.
  REQUIRE(cluster.AskSplit(Reported(9, "f", "h", 7), 1, scheduler::SplitReason::kSize));
  REQUIRE(ear.heard.size() == 2);
  CHECK(ear.heard[1].source == RegionId{9});
  CHECK(ear.heard[1].version == 7);
  CHECK(ear.heard[1].range == scheduler::KeyRange{"f", "m"});
  CHECK(ear.heard[1].reason == scheduler::SplitReason::kSize);
}

TEST_CASE("safe points only rise, and barriers hold them", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  SafePoints& points = server.cluster().safe_points();
  using Scope = SafePoints::Scope;
  CHECK(points.AdvanceTxn(100)->after == 100);
  CHECK_FALSE(points.AdvanceTxn(99));
  CHECK_FALSE(points.AdvanceGc(101));
  CHECK(points.AdvanceGc(80)->after == 80);
  CHECK(points.RaiseGc(10).value() == 80);

  CHECK_FALSE(points.SetBarrier(Scope::kCluster, "late", 99, 100));
  CHECK_FALSE(points.SetBarrier(Scope::kCluster, SafePoints::kGcWorker, 200, 100));
  REQUIRE(points.SetBarrier(Scope::kCluster, "backup", 150, 100));
  const auto held = points.AdvanceTxn(200);
  CHECK(held->after == 150);
  CHECK(held->blocker_id == "backup");
  REQUIRE(points.SetBarrier(Scope::kGlobal, "wide", 160, SafePoints::kForever));
  CHECK(points.DeleteBarrier(Scope::kCluster, "backup").value()->ts == 150);
  CHECK_FALSE(points.DeleteBarrier(Scope::kCluster, "backup").value());
  CHECK(points.AdvanceTxn(200)->after == 160);

  REQUIRE(server.meta().Put("/tidb/server/minstartts/a", "170", Millis{5000}));
  REQUIRE(points.DeleteBarrier(Scope::kGlobal, "wide"));
  const auto started = points.AdvanceTxn(200);
  CHECK(started->after == 170);
  CHECK(started->blocker_id == "tidb_min_start_ts_/tidb/server/minstartts/a");
}

}  // namespace
}  // namespace pd

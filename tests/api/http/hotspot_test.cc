// What is hot, over a cluster of one member.
#include <string>

#include <catch2/catch.hpp>

#include "api/http/dashboard_hot.h"
#include "tests/api/http/cluster_fixture.h"

namespace api {
namespace {

struct Fixture : ClusterFixture {
  Fixture() : ClusterFixture(Add) {}

  static void Add(Router& router, const ClusterRoutes& routes) {
    AddHotspotRoutes(router, routes);
    AddRegionStatsRoutes(router, routes);
  }

  /// Region 101 is written and read for so many reports.
  void Heat(int reports) {
    pd::Cluster& cluster = member().cluster();
    scheduler::Region region = *cluster.regions().Find({101});
    scheduler::StoreStats stats;
    stats.bytes_read = 40'000;
    stats.bytes_written = 20'000;
    stats.write_queries = 30;
    stats.cpu_usages = {{"unified-read-po:0", 25}};
    stats.interval_start_s = 1000;
    stats.interval_end_s = 1010;
    const std::vector<pd::PeerReads> reads{{{101}, 300'000, 2000, 100, 20}};
    region.flow.bytes_written = 600'000;
    region.flow.interval_start_s = 1'700'000'000;
    for (int i = 0; i < reports; ++i) {
      region.flow.interval_end_s = region.flow.interval_start_s + 60;
      REQUIRE(cluster.HandleRegionReport(region));
      region.flow.interval_start_s += 60;
      REQUIRE(cluster.HandleStoreReport({{1}, stats, ""}, reads));
    }
  }
};

constexpr const char* kNone =
    R"({"store_bytes": 0,"store_keys": 0,"store_query": 0,"store_cpu": 0,"total_flow_bytes": 0,)"
    R"("total_flow_keys": 0,"total_flow_query": 0,"total_flow_cpu": 0,"regions_count": 0,)"
    R"("statistics": []})";

TEST_CASE("nothing is hot without a cluster, or without reports") {
  Fixture f;
  for (const char* tail : {"regions/write", "regions/read", "stores", "buckets"}) {
    CHECK(f.Ask("GET", std::string("/hotspot/") + tail).starts_with("500 "));
  }
  f.Bootstrap();
  const std::string side = std::string(R"({"1": )") + kNone + "}";
  CHECK(f.Ask("GET", "/hotspot/regions/write") ==
        R"(200 {"as_peer": )" + side + R"(,"as_leader": )" + side + "}");
  CHECK(f.Ask("GET", "/hotspot/stores") == "200 {}");
  CHECK(f.Ask("GET", "/hotspot/buckets") == "200 {}");
  CHECK(f.Ask("GET", "/hotspot/regions/read?store_id=x") == R"(400 "invalid store id: x")");
  CHECK(f.Ask("GET", "/hotspot/regions/read?store_id=9") ==
        R"(500 "[PD:core:ErrStoreNotFound]store 9 not found")");
}

TEST_CASE("hot peers are shown with their loads and the store's") {
  Fixture f;
  f.Bootstrap();
  f.Heat(18);
  const std::string written = f.Ask("GET", "/hotspot/regions/write?store_id=1");
  CAPTURE(written);
  CHECK(
      written.find(R"("as_peer": {"1": {"store_bytes": 2000,"store_keys": 0,"store_query": 3,)") !=
      std::string::npos);
  // Of what is written for leaders only the hot regions are known.
  CHECK(written.find(
            R"("as_leader": {"1": {"store_bytes": 10000,"store_keys": 0,"store_query": 3,)") !=
        std::string::npos);
  CHECK(
      written.find(
          R"({"store_id": 1,"stores": [1],"is_leader": true,"is_learner": false,"region_id": 101,)"
          R"("hot_degree": 18,"flow_bytes": 10000,"flow_keys": 0,"flow_query": 0,"flow_cpu": 0,)"
          R"("anti_count": 2,"last_update_time": ")") != std::string::npos);
  const std::string read = f.Ask("GET", "/hotspot/regions/read");
  CAPTURE(read);
  CHECK(read.find(R"("store_bytes": 4000,"store_keys": 0,"store_query": 0,"store_cpu": 25,)"
                  R"("total_flow_bytes": 30000,"total_flow_keys": 200,"total_flow_query": 10,)"
                  R"("total_flow_cpu": 20,"regions_count": 1)") != std::string::npos);
  CHECK(f.Ask("GET", "/hotspot/stores") ==
        R"(200 {"bytes-write-rate": {"1": 2000},"bytes-read-rate": {"1": 4000},)"
        R"("keys-write-rate": {"1": 0},"keys-read-rate": {"1": 0},"query-write-rate": {"1": 3},)"
        R"("query-read-rate": {"1": 0},"cpu-read-rate": {"1": 25}})");
  const std::string stats = f.Ask("GET", "/stats/region?use_hot");
  CAPTURE(stats);
  CHECK(stats.find(R"("store_leader_read_bytes": {"1": 30000})") != std::string::npos);
  CHECK(stats.find(R"("store_write_bytes": {"1": 10000})") != std::string::npos);
  CHECK(stats.find(R"("store_engine": {"1": ""})") != std::string::npos);
  CHECK(f.Ask("GET", "/stats/region").find("store_write_bytes") == std::string::npos);
  const std::string elsewhere = f.Ask("GET", "/stats/region?use_hot&start_key=b");
  CHECK(elsewhere.find("store_write_bytes") == std::string::npos);
  CHECK(f.Ask("GET", "/stats/region?use_hot&engine=tiflash").find("store_engine") ==
        std::string::npos);
}

TEST_CASE("the dashboard is told which peers are hot") {
  Fixture f;
  f.Bootstrap();
  f.Heat(18);
  DashboardSnapshot snapshot;
  snapshot.stores.emplace_back().store = *f.member().cluster().stores().Find({1});
  FillHot(f.member().cluster(), snapshot);
  const DashboardHot::Peers& peers = snapshot.hot.peers;
  for (const DashboardHotPeers* one :
       {&peers.read_peers, &peers.read_leaders, &peers.write_peers, &peers.write_leaders}) {
    REQUIRE(one->total == 1);
    CHECK(one->hottest.front().region_id == 101);
    CHECK(one->hottest.front().store_id == 1);
    CHECK(one->hottest.front().role == "leader");
  }
  CHECK(peers.read_peers.hottest.front().rates.bytes == 30'000);
  CHECK(peers.read_peers.hottest.front().rates.queries == 10);
  CHECK(peers.write_peers.hottest.front().rates.bytes == 10'000);
  CHECK(peers.write_peers.hottest.front().degree == 18);
}

TEST_CASE("hot buckets are shown by region") {
  Fixture f;
  f.Bootstrap();
  scheduler::Buckets buckets;
  buckets.version = 1;
  buckets.keys = {"a", "am", "b"};
  buckets.read_bytes = {10, 1'000'000};
  buckets.read_keys = {0, 5000};
  for (int i = 0; i < 3; ++i) f.member().cluster().HandleBuckets({101}, buckets);
  const std::string shown =
      R"(200 {"101": [{"start_key": "616D","end_key": "62","hot_degree": 3,"read_bytes": 100000,)"
      R"("read_keys": 500,"write_bytes": 0,"write_keys": 0}]})";
  CHECK(f.Ask("GET", "/hotspot/buckets") == shown);
  CHECK(f.Ask("GET", "/hotspot/buckets?region_id=101&region_id=x") == shown);
  CHECK(f.Ask("GET", "/hotspot/buckets?region_id=7") == "200 {}");
}

TEST_CASE("the past needs a question that makes sense") {
  Fixture f;
  const std::string path = "/hotspot/regions/history";
  CHECK(f.Ask("GET", path) == R"(400 "unexpected end of JSON input")");
  CHECK(f.Ask("GET", path, R"({"start_time":"x"})")
            .starts_with(R"(400 "json: cannot unmarshal string into Go struct field )"));
  CHECK(f.Ask("GET", path, R"({"region_ids":["x"]})").starts_with("400 "));
  CHECK(f.Ask("GET", path, "{}") == R"(200 {"history_hot_region": null})");
}

}  // namespace
}  // namespace api

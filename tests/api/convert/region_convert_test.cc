#include "api/convert/region_convert.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

TEST_CASE("a heartbeat tells queries by direction", "[convert]") {
  pdpb::RegionHeartbeatRequest report;
  pdpb::QueryStats& queries = *report.mutable_query_stats();
  queries.set_get(1);
  queries.set_scan(2);
  queries.set_coprocessor(4);
  queries.set_put(8);
  queries.set_delete_(16);
  queries.set_deleterange(32);
  queries.set_prewrite(64);
  queries.set_acquirepessimisticlock(128);
  queries.set_commit(256);
  queries.set_rollback(512);
  const scheduler::Region region = ReportOf(report);
  CHECK(region.flow.read_queries == 7);
  CHECK(region.flow.write_queries == 1016);
}

TEST_CASE("a count of keys that no region has is bounded", "[convert]") {
  pdpb::RegionHeartbeatRequest report;
  report.set_approximate_keys(123'456);
  CHECK(ReportOf(report).keys == 123'456);
  report.set_approximate_keys(UINT64_MAX);
  CHECK(ReportOf(report).keys == scheduler::kRegionKeysMost);
}

TEST_CASE("down and pending peers of a heartbeat are taken as told", "[convert]") {
  pdpb::RegionHeartbeatRequest report;
  report.set_approximate_size(3 << 20);
  pdpb::PeerStats& down = *report.add_down_peers();
  down.mutable_peer()->set_id(70);
  down.mutable_peer()->set_store_id(7);
  down.set_down_seconds(60);
  report.add_pending_peers()->set_id(80);
  const scheduler::Region region = ReportOf(report);
  CHECK(region.size_mib == 3);
  REQUIRE(region.down_peers.size() == 1);
  CHECK(region.down_peers[0].peer.store == scheduler::StoreId{7});
  CHECK(region.down_peers[0].down_s == 60);
  REQUIRE(region.pending_peers.size() == 1);
  CHECK(region.pending_peers[0].id == scheduler::PeerId{80});
}

TEST_CASE("buckets go through the model without a loss", "[convert]") {
  metapb::Buckets full;
  full.set_region_id(5);
  full.set_version(6);
  full.set_period_in_ms(10'000);
  for (const char* key : {"a", "b", "c"}) full.add_keys(key);
  for (const uint64_t number : {1U, 2U}) {
    full.mutable_stats()->add_read_bytes(number);
    full.mutable_stats()->add_write_bytes(number * 10);
    full.mutable_stats()->add_read_qps(number * 100);
    full.mutable_stats()->add_write_qps(number * 1000);
    full.mutable_stats()->add_read_keys(number + 1);
    full.mutable_stats()->add_write_keys(number + 2);
  }
  scheduler::Region region;
  region.id = scheduler::RegionId{5};
  region.buckets = BucketsOf(full);
  metapb::Buckets back;
  SetBuckets(region, back);
  CHECK(back.SerializeAsString() == full.SerializeAsString());
}

}  // namespace
}  // namespace api

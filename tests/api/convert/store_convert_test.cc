#include "api/convert/store_convert.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

TEST_CASE("a store tells what was read on its peers", "[convert]") {
  pdpb::StoreStats stats;
  pdpb::PeerStat& peer = *stats.add_peer_stats();
  peer.set_region_id(7);
  peer.set_read_bytes(1000);
  peer.set_read_keys(100);
  peer.set_written_bytes(5);
  peer.mutable_query_stats()->set_get(1);
  peer.mutable_query_stats()->set_scan(2);
  peer.mutable_query_stats()->set_coprocessor(4);
  peer.mutable_query_stats()->set_put(8);
  peer.mutable_cpu_stats()->set_unifiedread(30);
  pdpb::PeerStat& absurd = *stats.add_peer_stats();
  absurd.set_region_id(8);
  absurd.set_read_bytes(UINT64_MAX);
  absurd.set_read_keys(3);
  const std::vector<pd::PeerReads> reads = PeerReadsOf(stats);
  REQUIRE(reads.size() == 2);
  CHECK(reads[0].region.value == 7);
  CHECK(reads[0].bytes == 1000);
  CHECK(reads[0].keys == 100);
  CHECK(reads[0].queries == 7);
  CHECK(reads[0].cpu_percent == 30);
  CHECK(reads[1].bytes == 0);
  CHECK(reads[1].keys == 3);
}

}  // namespace
}  // namespace api

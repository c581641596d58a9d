#include "pd/cluster/region_feed.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

scheduler::Region Numbered(uint64_t id) {
  scheduler::Region region;
  region.id = scheduler::RegionId{id};
  return region;
}

TEST_CASE("the feed hands out what came since an index", "[region_feed]") {
  RegionFeed feed;
  feed.Reset(100);
  CHECK(feed.From(100, 10)->empty());
  CHECK(feed.first_index() == 100);
  for (uint64_t id = 1; id <= 5; ++id) feed.Append(Numbered(id));
  CHECK(feed.next_index() == 105);
  CHECK(feed.From(105, 10)->empty());
  const auto changes = feed.From(102, 2);
  REQUIRE(changes);
  REQUIRE(changes->size() == 2);
  CHECK((*changes)[0].id.value == 3);
  CHECK((*changes)[1].id.value == 4);
}

TEST_CASE("who asks for what the feed never had gets nothing", "[region_feed]") {
  RegionFeed feed;
  feed.Reset(100);
  feed.Append(Numbered(1));
  CHECK_FALSE(feed.From(0, 10));
  CHECK_FALSE(feed.From(99, 10));
  CHECK_FALSE(feed.From(102, 10));
  feed.Reset(500);
  CHECK_FALSE(feed.From(101, 10));
}

TEST_CASE("the feed forgets its oldest changes", "[region_feed]") {
  RegionFeed feed;
  for (uint64_t id = 1; id <= RegionFeed::kRecordsMax + 3; ++id) feed.Append(Numbered(id));
  CHECK(feed.first_index() == 4);
  CHECK_FALSE(feed.From(3, 1));
  REQUIRE(feed.From(4, 1));
  CHECK(feed.From(4, 1)->front().id.value == 4);
}

}  // namespace
}  // namespace pd

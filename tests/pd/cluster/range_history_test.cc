// Which regions the table takes for split or merged, and how long that is known.
#include "pd/cluster/range_history.h"

#include <catch2/catch.hpp>

#include "pd/cluster/region_table.h"
#include "pd/codec/cluster_codec.h"
#include "tests/pd/dispatch/dispatch_fakes.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::Region;

struct Table {
  Region MakeRegion(uint64_t id, const char* start, const char* end, uint64_t version) {
    Region region = test::MakeRegion(id, {1, 2, 3});
    region.start_key = start;
    region.end_key = end;
    region.epoch.version = version;
    return region;
  }
  void Report(const Region& region) { REQUIRE(table.Report(region, {}).has_value()); }

  test::HandClock clock;
  RangeHistory ranges{clock};
  RegionTable table{nullptr, &ranges};
};

TEST_CASE("what comes of a split is noted, whichever part is heard of first", "[ranges]") {
  Table t;
  const scheduler::Instant start = InstantOf(t.clock.monotonic);
  CHECK(t.ranges.known_since() == start);
  t.Report(t.MakeRegion(1, "a", "z", 1));
  CHECK(t.ranges.LastSplit({1}) == start);

  t.clock.monotonic += 10s;
  t.Report(t.MakeRegion(1, "a", "z", 1));  // As before.
  CHECK(t.ranges.LastSplit({1}) == start);
  Region moved = t.MakeRegion(1, "a", "z", 1);
  moved.epoch.conf_ver += 1;
  t.Report(moved);
  CHECK(t.ranges.LastSplit({1}) == start);

  t.clock.monotonic += 10s;
  Region rest = t.MakeRegion(1, "m", "z", 2);
  rest.epoch.conf_ver += 1;
  SECTION("the old region first") {
    t.Report(rest);
    CHECK(t.ranges.LastSplit({1}) == start + 20s);
    CHECK_FALSE(t.ranges.LastSplit({2}).has_value());
    t.Report(t.MakeRegion(2, "a", "m", 2));
    CHECK(t.ranges.LastSplit({2}) == start + 20s);
  }
  SECTION("the new region first") {
    t.Report(t.MakeRegion(2, "a", "m", 2));
    CHECK(t.ranges.LastSplit({2}) == start + 20s);
    t.Report(rest);
    CHECK(t.ranges.LastSplit({1}) == start + 20s);
  }
  SECTION("from the leader's feed") {
    t.table.PutSynced(rest);
    t.table.PutSynced(t.MakeRegion(2, "a", "m", 2));
    CHECK(t.ranges.LastSplit({1}) == start + 20s);
    CHECK(t.ranges.LastSplit({2}) == start + 20s);
  }
  SECTION("from what the group applies, ahead of the feed") {
    PutRegions records;
    records.regions = {ToRecord(rest), ToRecord(t.MakeRegion(2, "a", "m", 2))};
    Table follower;
    PutRegions old;
    old.regions = {ToRecord(t.MakeRegion(1, "a", "z", 1))};
    follower.table.PutReplicated(old, RegionTable::Records::kLoaded);
    follower.table.PutReplicated(records);
    follower.table.PutSynced(rest);
    CHECK(follower.ranges.LastSplit({1}).has_value());
    CHECK(follower.ranges.LastSplit({2}).has_value());
  }
  CHECK_FALSE(t.ranges.LastMerge({1}).has_value());
  SECTION("a merge is another thing") {
    Region grown = t.MakeRegion(1, "a", "", 2);
    grown.epoch.conf_ver += 1;
    SECTION("as reported") { t.Report(grown); }
    SECTION("as fed") { t.table.PutSynced(grown); }
    SECTION("as applied, ahead of the feed") {
      PutRegions old;
      old.regions = {ToRecord(t.MakeRegion(1, "a", "z", 1))};
      PutRegions records;
      records.regions = {ToRecord(grown)};
      Table follower;
      follower.table.PutReplicated(old, RegionTable::Records::kLoaded);
      follower.table.PutReplicated(records);
      CHECK(follower.ranges.LastMerge({1}).has_value());
      CHECK_FALSE(follower.ranges.LastSplit({1}).has_value());
      return;
    }
    CHECK(t.ranges.LastSplit({1}) == start);
    CHECK(t.ranges.LastMerge({1}) == start + 20s);
  }
}

TEST_CASE("the regions on disk are not taken for new ones", "[ranges]") {
  Table t;
  PutRegions records;
  records.regions.push_back(ToRecord(t.MakeRegion(1, "a", "z", 3)));
  t.table.PutReplicated(records, RegionTable::Records::kLoaded);
  CHECK_FALSE(t.ranges.LastSplit({1}).has_value());
  t.Report(t.MakeRegion(1, "a", "z", 3));
  CHECK_FALSE(t.ranges.LastSplit({1}).has_value());
}

}  // namespace
}  // namespace pd

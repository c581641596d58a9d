#include "pd/dispatch/patrol.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/pd/dispatch/dispatch_fakes.h"

namespace pd {
namespace {

using scheduler::Instant;
using scheduler::Region;

Instant At(int64_t ms) { return {Millis{1'000'000 + ms}}; }

void Fill(RegionTable& table, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    Region region = test::MakeRegion(1000 + i, {1, 2, 3});
    if (i + 1 == count) region.end_key.clear();
    REQUIRE(table.Report(region, {}));
  }
}

std::vector<uint64_t> Ids(const std::vector<Region>& regions) {
  std::vector<uint64_t> ids;
  for (const Region& region : regions) ids.push_back(region.id.value);
  return ids;
}

TEST_CASE("the patrol walks all regions, round after round", "[patrol]") {
  RegionTable table;
  Fill(table, 300);
  Patrol patrol(table);
  std::vector<uint64_t> seen;
  for (int i = 0; i < 3; ++i) {
    for (const uint64_t id : Ids(patrol.Next(At(i)))) seen.push_back(id);
  }
  REQUIRE(seen.size() == 300);
  CHECK(std::ranges::is_sorted(seen));
  // The next round of a small cluster waits.
  CHECK(patrol.Next(At(50)).empty());
  CHECK(patrol.Next(At(150)).size() == 128);
}

TEST_CASE("regions pointed out come first, once, and not before their time", "[patrol]") {
  RegionTable table;
  Fill(table, 10);
  Patrol patrol(table);
  (void)patrol.Next(At(0));
  patrol.PointOut({1005}, At(20));
  patrol.PointOut({1003}, At(10));
  patrol.PointOut({1003}, At(30));  // Sooner already.
  patrol.PointOut({4711}, At(10));  // Unknown: skipped when its time comes.
  CHECK(patrol.pointed_out() == 3);
  CHECK(Ids(patrol.Next(At(10))) == std::vector<uint64_t>{1003});
  CHECK(Ids(patrol.Next(At(30))) == std::vector<uint64_t>{1005});
  CHECK(patrol.Next(At(40)).empty());
  patrol.PointOut({1001}, At(90));
  patrol.PointOut({1001}, At(41));
  CHECK(Ids(patrol.Next(At(50))) == std::vector<uint64_t>{1001});
  CHECK(patrol.pointed_out() == 0);
}

TEST_CASE("an empty cluster has nothing to look at", "[patrol]") {
  const RegionTable table;
  Patrol patrol(table);
  CHECK(patrol.Next(At(0)).empty());
}

}  // namespace
}  // namespace pd

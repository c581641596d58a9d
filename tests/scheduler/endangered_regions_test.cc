// Which regions are looked at first: those that lack most, less and less often, and not too many of them.
#include "scheduler/checkers/endangered_regions.h"

#include <catch2/catch.hpp>

namespace scheduler::test {
namespace {

using Ids = std::vector<RegionId>;
constexpr Millis kInterval{10};

Instant At(int64_t ms) { return Instant{Millis{1000 + ms}}; }

TEST_CASE("regions that lack most come first", "[endangered]") {
  EndangeredRegions regions;
  regions.Note({1}, 1, At(0));
  regions.Note({2}, 3, At(0));
  regions.Note({3}, 1, At(0));
  regions.Note({4}, 2, At(0));
  CHECK(regions.TakeDue(At(99), kInterval).empty());
  CHECK(regions.TakeDue(At(100), kInterval) == Ids{{2}, {4}, {1}, {3}});
}

TEST_CASE("a look in vain makes the next one wait longer", "[endangered]") {
  EndangeredRegions regions;
  regions.Note({1}, 1, At(0));
  REQUIRE(regions.TakeDue(At(100), kInterval).size() == 1);
  regions.Note({1}, 1, At(100));
  CHECK(regions.TakeDue(At(299), kInterval).empty());
  REQUIRE(regions.TakeDue(At(300), kInterval).size() == 1);
  CHECK(regions.TakeDue(At(599), kInterval).empty());
  REQUIRE(regions.TakeDue(At(600), kInterval).size() == 1);
  // Something has changed: from the beginning.
  regions.Note({1}, 2, At(600));
  CHECK(regions.TakeDue(At(699), kInterval).empty());
  CHECK(regions.TakeDue(At(700), kInterval).size() == 1);
}

TEST_CASE("the patrol's interval is the unit", "[endangered]") {
  EndangeredRegions regions;
  regions.Note({1}, 1, At(0));
  CHECK(regions.TakeDue(At(999), Millis{100}).empty());
  CHECK(regions.TakeDue(At(1000), Millis{100}).size() == 1);
}

TEST_CASE("a region that has all its peers, or is gone, is no longer looked at", "[endangered]") {
  EndangeredRegions regions;
  regions.Note({1}, 1, At(0));
  regions.Note({2}, 1, At(0));
  regions.Note({1}, 0, At(50));
  CHECK(regions.size() == 1);
  CHECK(regions.TakeDue(At(100), kInterval) == Ids{{2}});
  regions.Forget({2});
  regions.Forget({3});
  CHECK(regions.size() == 0);
  regions.Note({4}, 1, At(0));
  regions.Clear();
  CHECK(regions.TakeDue(At(100), kInterval).empty());
}

TEST_CASE("it is known when the first is due", "[endangered]") {
  EndangeredRegions regions;
  CHECK_FALSE(regions.NextDue(kInterval));
  regions.Note({1}, 1, At(0));
  regions.Note({2}, 1, At(50));
  CHECK(regions.NextDue(kInterval) == At(0) + 10 * kInterval);
  CHECK(regions.TakeDue(At(0) + 10 * kInterval, kInterval) == Ids{{1}});
  CHECK(regions.NextDue(kInterval) == At(50) + 10 * kInterval);
}

TEST_CASE("when there are too many, those that lack least go", "[endangered]") {
  EndangeredRegions regions;
  for (uint64_t id = 1; id <= EndangeredRegions::kMax; ++id) regions.Note({id}, 1, At(0));
  regions.Note({9000}, 1, At(0));
  CHECK(regions.size() == EndangeredRegions::kMax);
  regions.Note({9001}, 2, At(0));
  CHECK(regions.size() == EndangeredRegions::kMax);
  const Ids due = regions.TakeDue(At(100), kInterval);
  REQUIRE(due.size() == EndangeredRegions::kMax);
  CHECK(due.front() == RegionId{9001});
  CHECK(due.back() == RegionId{EndangeredRegions::kMax - 1});
}

}  // namespace
}  // namespace scheduler::test

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

std::vector<Region> Next(Patrol& patrol, Instant now) { return patrol.Next(now, Millis{10}); }

std::vector<uint64_t> Ids(const std::vector<Region>& regions) {
  std::vector<uint64_t> ids;
  for (const Region& region : regions) ids.push_back(region.id.value);
  return ids;
}

/// Ten regions, all of them walked over at 0.
struct Walked {
  Walked() {
    Fill(table, 10);
    (void)Next(patrol, At(0));
  }
  RegionTable table;
  Patrol patrol{table};
};

TEST_CASE("the patrol walks all regions, round after round", "[patrol]") {
  RegionTable table;
  Fill(table, 300);
  Patrol patrol(table);
  const auto walk = [&](int64_t from_ms) {
    std::vector<uint64_t> seen;
    for (int64_t i = 0; i < 3; ++i) {
      for (const uint64_t id : Ids(Next(patrol, At(from_ms + 10 * i)))) seen.push_back(id);
    }
    CHECK(seen.size() == 300);
    CHECK(std::ranges::is_sorted(seen));
  };
  walk(0);
  patrol.NoteWork();
  // The next round of a small cluster waits.
  CHECK(Next(patrol, At(99)).empty());
  walk(100);
  CHECK(patrol.last_round() == Millis{20});
}

TEST_CASE("a round that found nothing is not walked again before there is news", "[patrol]") {
  RegionTable table;
  Fill(table, 300);
  Patrol patrol(table);
  for (const int64_t at : {0, 10, 20}) CHECK_FALSE(Next(patrol, At(at)).empty());
  const Instant quiet = patrol.NextDue(At(30), Millis{10});
  CHECK(quiet - At(20) == Patrol::kQuietRoundMin / 3);
  CHECK(Next(patrol, quiet - Millis{1}).empty());

  SECTION("nothing happens: it goes on, in case something was missed") {
    CHECK(Ids(Next(patrol, quiet)).front() == 1000);
    CHECK(patrol.NextDue(quiet, Millis{10}) - quiet == Patrol::kQuietRoundMin / 3);
  }
  SECTION("something that concerns all regions changed") {
    patrol.NoteNews();
    CHECK(patrol.NextDue(At(40), Millis{10}) == At(50));
    CHECK(Ids(Next(patrol, At(50))).front() == 1000);
    CHECK(Next(patrol, At(59)).empty());
    CHECK_FALSE(Next(patrol, At(60)).empty());
    patrol.NoteNews();  // In the middle of a round: another one follows.
    CHECK_FALSE(Next(patrol, At(70)).empty());
    CHECK(Ids(Next(patrol, At(150))).front() == 1000);
  }
  SECTION("something was found after all") {
    (void)Next(patrol, quiet);
    patrol.NoteWork();
    CHECK_FALSE(Next(patrol, quiet + Millis{10}).empty());
    CHECK_FALSE(Next(patrol, quiet + Millis{20}).empty());
    CHECK(patrol.last_round() == Millis{20});  // The one before: this one began at another pace.
  }
  SECTION("what was met passes with time") {
    patrol.NoteWaits();
    CHECK(patrol.NextDue(At(30), Millis{10}) == At(20) + Patrol::kWaitingRoundMin / 3);
  }
  SECTION("the same in the middle of a round") {
    (void)Next(patrol, quiet);
    patrol.NoteWaits();
    CHECK(patrol.NextDue(quiet, Millis{10}) == quiet + Patrol::kWaitingRoundMin / 3);
  }
  SECTION("a region that had to be forgotten is found by the walk") {
    for (uint64_t id = 0; id <= Patrol::kPointedOutMax; ++id) {
      patrol.PointOut({100'000 + id}, At(9'000'000));
    }
    CHECK_FALSE(Next(patrol, At(100)).empty());
  }
  SECTION("a new leader has not looked yet") {
    patrol.Clear();
    CHECK_FALSE(Next(patrol, At(30)).empty());
  }
}

TEST_CASE("who waits for the patrol knows until when", "[patrol]") {
  Walked walked;
  Patrol& patrol = walked.patrol;
  const auto due_in = [&](int64_t at) { return patrol.NextDue(At(at), Millis{10}) - At(at); };
  CHECK(due_in(0) == Patrol::kQuietRoundMin);
  patrol.PointOut({1005}, At(70));
  CHECK(due_in(20) == Millis{50});
  CHECK(due_in(69) == Millis{10});        // No sooner than the patrol's interval.
  patrol.NoteMissing({1003}, 1, At(20));  // To be looked at again after ten intervals.
  (void)Next(patrol, At(70));
  CHECK(due_in(70) == Millis{50});
  CHECK(due_in(115) == Millis{10});
}

TEST_CASE("regions pointed out come first, once, and not before their time", "[patrol]") {
  Walked walked;
  Patrol& patrol = walked.patrol;
  patrol.PointOut({1005}, At(20));
  patrol.PointOut({1003}, At(10));
  patrol.PointOut({1003}, At(30));  // Sooner already.
  patrol.PointOut({4711}, At(10));  // Unknown: skipped when its time comes.
  CHECK(patrol.pointed_out() == 3);
  CHECK(Ids(Next(patrol, At(10))) == std::vector<uint64_t>{1003});
  CHECK(Ids(Next(patrol, At(30))) == std::vector<uint64_t>{1005});
  CHECK(Next(patrol, At(40)).empty());
  patrol.PointOut({1001}, At(90));
  patrol.PointOut({1001}, At(41));
  CHECK(Ids(Next(patrol, At(50))) == std::vector<uint64_t>{1001});
  CHECK(patrol.pointed_out() == 0);
}

TEST_CASE("what has to wait is looked at again soon, the later the more wait", "[patrol]") {
  Walked walked;
  Patrol& patrol = walked.patrol;
  patrol.LookAgain({1003}, At(10));
  CHECK(Next(patrol, At(509)).empty());
  CHECK(Ids(Next(patrol, At(510))) == std::vector<uint64_t>{1003});

  const uint64_t waiting = 4 * Patrol::kLooksPerSecond;
  for (uint64_t id = 1; id <= waiting; ++id) patrol.PointOut({100'000 + id}, At(60'000));
  patrol.LookAgain({1004}, At(1'000));
  CHECK(Next(patrol, At(4'999)).empty());
  CHECK(Ids(Next(patrol, At(5'000))) == std::vector<uint64_t>{1004});
  // What somebody points out does not wait for the others.
  patrol.PointOut({1005}, At(5'010));
  CHECK(Ids(Next(patrol, At(5'010))) == std::vector<uint64_t>{1005});
}

TEST_CASE("regions that lack peers come first, and only once", "[patrol]") {
  Walked walked;
  Patrol& patrol = walked.patrol;
  patrol.NoteMissing({1005}, 1, At(0));
  patrol.NoteMissing({1003}, 2, At(0));
  patrol.NoteMissing({4711}, 1, At(0));  // Unknown: forgotten when its time comes.
  CHECK(patrol.endangered() == 3);
  patrol.PointOut({1005}, At(100));
  patrol.PointOut({1003}, At(101));
  patrol.PointOut({1004}, At(100));
  CHECK(Next(patrol, At(99)).empty());
  patrol.NoteNews();
  const std::vector<uint64_t> batch = Ids(Next(patrol, At(100)));
  REQUIRE(batch.size() > 3);
  CHECK(std::vector(batch.begin(), batch.begin() + 3) == std::vector<uint64_t>{1003, 1005, 1004});
  CHECK(std::ranges::count(batch, 1005U) == 2);  // The walk, which starts again.
  CHECK(patrol.endangered() == 2);
  CHECK(patrol.pointed_out() == 1);
  patrol.NoteMissing({1003}, 0, At(100));
  patrol.NoteMissing({1005}, 0, At(100));
  patrol.NoteNews();
  const std::vector<uint64_t> later = Ids(Next(patrol, At(9000)));
  REQUIRE(later.size() > 1);
  CHECK(later.front() == 1003);  // Pointed out before; no longer because it lacks peers.
  CHECK(later[1] == 1000);       // The walk.
  patrol.NoteMissing({1003}, 1, At(9000));
  patrol.Clear();
  CHECK(patrol.endangered() == 0);
}

TEST_CASE("an empty cluster has nothing to look at", "[patrol]") {
  const RegionTable table;
  Patrol patrol(table);
  CHECK(Next(patrol, At(0)).empty());
}

}  // namespace
}  // namespace pd

#include "scheduler/schedulers/hot_region_rank.h"

#include <limits>
#include <vector>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

/// Nothing on its way.
MoveDim Dim(double source, double target, double rate) {
  return {.source = source,
          .target = target,
          .source_low = source,
          .target_high = target,
          .rate = rate,
          .rate_min = 10,
          .source_tenth = kNone,
          .target_tenth = kNone};
}

const MoveDim kEven = Dim(500, 500, 0);

struct Case {
  const char* what;
  MoveDim first;
  MoveDim second;
  MoveRank rank;
};

TEST_CASE("formula v2 ranks moves by how far they get") {
  const std::vector<Case> cases = {
      {"part of the way", Dim(1000, 0, 300), kEven, {3, 2, 0}},
      {"to balance", Dim(1000, 0, 500), kEven, {3, 3, 0}},
      {"beyond it", Dim(1000, 0, 600), kEven, {3, 1, 0}},
      {"far beyond it", Dim(1000, 0, 700), kEven, {-1, -2, 0}},
      {"both dimensions", Dim(1000, 0, 500), Dim(1000, 0, 500), {4, 3, 3}},
      {"harms the second", Dim(1000, 0, 500), Dim(500, 500, 100), {2, 3, -2}},
      {"the second alone", Dim(500, 500, 0), Dim(1000, 0, 500), {1, 0, 3}},
      {"the second, harming the first", Dim(500, 500, 100), Dim(1000, 0, 500), {0, -2, 3}},
      {"from the lower store", Dim(0, 1000, 100), kEven, {-1, -2, 0}},
      {"too little in both", Dim(1000, 0, 9), Dim(1000, 0, 9), {}},
      {"too little in the first", Dim(1000, 0, 9), Dim(1000, 0, 500), {1, 0, 3}},
      {"balanced", Dim(1000, 940, 100), kEven, {-1, -2, 0}},
      {"nearly balanced, just right", Dim(1000, 900, 50), kEven, {3, 3, 0}},
      {"nearly balanced, too much", Dim(1000, 900, 80), kEven, {-1, -1, 0}},
  };
  const HotRegionConfig config;
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const MoveRank rank = RankMove(config, RankBy::kBoth, one.first, one.second);
    CHECK(rank.rank == one.rank.rank);
    CHECK(rank.first == one.rank.first);
    CHECK(rank.second == one.rank.second);
  }
}

TEST_CASE("a peer that is small beside its store's tenth is no gain") {
  const HotRegionConfig config;
  MoveDim first = Dim(10'000, 8000, 155);
  // 20% of what would be needed is less than 2% of the lower load.
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == 3);
  first.rate = 100;
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == -1);
  first.source_tenth = 80;
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == 3);
}

TEST_CASE("what is on its way holds back, the more the closer the stores are") {
  const HotRegionConfig config;
  MoveDim first = Dim(1000, 0, 300);
  first.source_pending = 100;
  first.source_low = 900;
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == 3);
  first = Dim(1000, 800, 80);
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == 3);
  first.source_pending = 20;
  first.source_low = 980;
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == -1);
  // Nearly even stores wait until nothing is on its way.
  first = Dim(10'000, 9000, 500);
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == 3);
  first.target_pending = 2;
  first.target_high = 9002;
  CHECK(RankMove(config, RankBy::kBoth, first, kEven).rank == -1);
}

TEST_CASE("written leaders go by the first dimension") {
  HotRegionConfig config;
  const MoveDim harmed = Dim(500, 500, 400);
  CHECK(RankMove(config, RankBy::kFirstOnly, Dim(1000, 0, 500), harmed).rank == 3);
  CHECK(RankMove(config, RankBy::kFirstOnly, Dim(1000, 0, 9), Dim(1000, 0, 500)).rank == -1);
  config.rank_formula_version = "v1";
  CHECK(RankMove(config, RankBy::kFirstOnly, Dim(1000, 0, 500), harmed).rank == 3);
  CHECK(RankMove(config, RankBy::kFirstOnly, Dim(1000, 0, 600), harmed).rank == -1);
}

TEST_CASE("formula v1 ranks moves by the ratio of the loads afterwards") {
  HotRegionConfig config;
  config.rank_formula_version = "v1";
  const std::vector<Case> cases = {
      {"both", Dim(1000, 0, 300), Dim(1000, 0, 300), {4}},
      {"the first, the second stays", Dim(1000, 0, 300), kEven, {3}},
      {"the second, the first stays", kEven, Dim(1000, 0, 300), {2}},
      {"the first, the second suffers", Dim(1000, 0, 300), Dim(500, 500, 100), {1}},
      {"the second, the first suffers", Dim(500, 500, 100), Dim(1000, 0, 300), {0}},
      {"none", Dim(500, 500, 100), Dim(500, 500, 100), {-1}},
      {"no ratio better than 95%", Dim(1000, 0, 490), kEven, {-1}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    CHECK(RankMove(config, RankBy::kBoth, one.first, one.second) == one.rank);
  }
}

TEST_CASE("loads that are even already are not served") {
  CHECK(ServesEvenDim(RankFormula::kV2, {true, false}, 3));
  CHECK_FALSE(ServesEvenDim(RankFormula::kV2, {true, false}, 4));
  CHECK_FALSE(ServesEvenDim(RankFormula::kV2, {true, false}, 1));
  CHECK(ServesEvenDim(RankFormula::kV2, {false, true}, 1));
  CHECK(ServesEvenDim(RankFormula::kV1, {true, false}, 1));
  CHECK(ServesEvenDim(RankFormula::kV1, {false, true}, 2));
  CHECK_FALSE(ServesEvenDim(RankFormula::kV1, {false, true}, 3));
}

TEST_CASE("peers change places only where that is clearly better") {
  CHECK(IsWorthwhile(1, false));
  CHECK_FALSE(IsWorthwhile(0, false));
  CHECK_FALSE(IsWorthwhile(2, true));
  CHECK(IsWorthwhile(3, true));
}

}  // namespace
}  // namespace scheduler

#include "scheduler/stats/hull_average.h"

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

TEST_CASE("a weighted average counts newer samples more") {
  WeightedAverage<3> average;
  CHECK(average.Value() == 0);
  average.Add(10);
  CHECK(average.Value() == Approx(10));
  average.Add(20);
  CHECK(average.Value() == Approx((2 * 10 + 3 * 20) / 5.0));
  average.Add(40);
  CHECK(average.Value() == Approx((10 + 2 * 20 + 3 * 40) / 6.0));
  average.Add(0);  // The first one leaves.
  CHECK(average.Value() == Approx((20 + 2 * 40 + 3 * 0) / 6.0));
}

TEST_CASE("a constant stays what it is") {
  HullAverage average;
  for (int i = 0; i < 200; ++i) {
    average.Add(80);
    REQUIRE(average.Value() == Approx(80));
  }
}

// Two heartbeats of a store, each counted twice: the value behind the region score that the reference showed.
TEST_CASE("the hull average follows the reference's recorded score") {
  HullAverage average;
  for (const double sample : {80, 80, 512, 512}) average.Add(sample);
  CHECK(average.Value() == Approx(193.690965836894).epsilon(1e-12));
}

}  // namespace
}  // namespace scheduler

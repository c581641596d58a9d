#include "tests/e2e/kill/history.h"

#include <catch2/catch.hpp>

namespace killtest {
namespace {

TEST_CASE("numbers given once and in order are fine") {
  CHECK(FindViolations({}, "id").empty());
  // The second was sent before the first was answered: any order will do.
  CHECK(FindViolations({{0, 10, 20, 10}, {5, 8, 10, 10}, {11, 12, 21, 1}}, "id").empty());
}

TEST_CASE("a number given twice is found") {
  CHECK(FindViolations({{0, 10, 20, 10}, {0, 10, 11, 1}}, "id").size() == 1);
  CHECK(FindViolations({{0, 10, 20, 10}, {0, 10, 10, 10}}, "id").empty());
}

TEST_CASE("a number below one that was answered before is found") {
  CHECK(FindViolations({{0, 10, 20, 1}, {11, 12, 19, 1}}, "id").size() == 1);
  // An answer at the very moment of the send proves nothing.
  CHECK(FindViolations({{0, 11, 20, 1}, {11, 12, 19, 1}}, "id").empty());
}

TEST_CASE("gaps reach from answer to answer") {
  const std::vector<int64_t> answers = {10, 20, 100, 110};
  CHECK(LongestGap(answers, 15, 105) == 80);
  CHECK(LongestGap(answers, 105, 110) == 10);
  CHECK(LongestGap(answers, 12, 50) == 10);  // The gap from 20 to 100 belongs to what comes at 50.
  CHECK(LongestGap(answers, 105, 200) == 90);
  CHECK(LongestGap({}, 5, 25) == 20);
}

TEST_CASE("percentiles by nearest rank") {
  CHECK(Percentile({}, 50) == 0);
  CHECK(Percentile({3, 1, 2}, 50) == 2);
  CHECK(Percentile({1, 2, 3, 4}, 95) == 4);
  CHECK(Percentile({1, 2, 3, 4}, 50) == 2);
}

}  // namespace
}  // namespace killtest

#include "scheduler/stats/progress.h"

#include <vector>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Millis kShortest{0};  // As short as a window can be: 10 minutes.

Instant At(int64_t seconds) { return {Seconds{seconds}}; }

TEST_CASE("progress is what is done of what is to be done", "[progress]") {
  struct Case {
    const char* name;
    std::vector<double> done;  // Every 10 seconds.
    double target;
    double fraction;
    double speed;
    double left_s;
  };
  const std::vector<Case> cases = {
      {"nothing is known", {}, 0, 0, 0, Progress::kNever},
      {"one sample has no speed", {0}, 100, 0, 0, Progress::kNever},
      {"nor does one when work was done before", {40}, 100, 0.4, 0, Progress::kNever},
      {"steady", {0, 10, 20}, 100, 0.2, 1, 80},
      {"uneven counts as its average", {0, 0, 30, 30}, 120, 0.25, 1, 90},
      {"at a standstill", {25, 25, 25}, 100, 0.25, 0, Progress::kNever},
      {"losing ground", {30, 20}, 100, 0.2, 0, Progress::kNever},
      {"below where it began", {0, -20}, 100, 0, 0, Progress::kNever},
      {"done", {0, 50, 100}, 100, 1, 5, 0},
      {"more than done", {0, 60, 120}, 100, 1, 6, 0},
      {"nothing to do", {0}, 0, 1, 0, 0},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    Progress progress;
    int64_t s = 1000;
    for (const double done : c.done) progress.Add(At(s += 10), done, c.target);
    CHECK(progress.Fraction() == Approx(c.fraction));
    CHECK(progress.Speed(kShortest) == Approx(c.speed));
    CHECK(progress.SecondsLeft(kShortest) == Approx(c.left_s));
  }
}

TEST_CASE("speed is that of the window", "[progress]") {
  // 1 a second for an hour, then 3 a second for ten minutes.
  Progress progress;
  double done = 0;
  for (int64_t s = 0; s <= 3600; s += 10, done += 10) progress.Add(At(s), done, 10'000);
  done -= 10;
  for (int64_t s = 3610; s <= 4200; s += 10) progress.Add(At(s), done += 30, 10'000);
  CHECK(progress.Speed(kShortest) == Approx(3));
  CHECK(progress.Speed(minutes(20)) == Approx(2));
  CHECK(progress.Speed(hours(9)) == Approx((3600 + 1800) / 4200.0));
  CHECK(progress.SecondsLeft(minutes(20)) == Approx((10'000 - 5400) / 2.0));
}

TEST_CASE("what is two hours old counts no more", "[progress]") {
  Progress progress;
  progress.Add(At(0), 0, 10'000);
  progress.Add(At(10), 5000, 10'000);
  for (int64_t s = 20; s <= 7210; s += 10) progress.Add(At(s), 5000, 10'000);
  CHECK(progress.Speed(Progress::kWindowMax) == 0);
  CHECK(progress.Fraction() == Approx(0.5));
}

TEST_CASE("samples that come late or in a rush count by their time", "[progress]") {
  Progress late;
  late.Add(At(0), 0, 100);
  late.Add(At(50), 50, 100);
  CHECK(late.Speed(kShortest) == Approx(1));
  // Only so many are kept.
  Progress rush;
  for (int64_t i = 0; i < 3000; ++i) rush.Add({Millis{i}}, i < 1000 ? 0 : 7, 100);
  CHECK(rush.Speed(Progress::kWindowMax) == 0);
  Progress at_once;
  at_once.Add(At(5), 0, 100);
  at_once.Add(At(5), 50, 100);
  CHECK(at_once.Speed(kShortest) == 0);
}

}  // namespace
}  // namespace scheduler

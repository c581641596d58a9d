#include "pd/cluster/store_progress.h"

#include <chrono>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::Progress;
using scheduler::StoreId;
using Action = StoreProgress::Action;

/// Stands until it is moved on.
class StoppedClock final : public Clock {
 public:
  [[nodiscard]] Nanos Monotonic() const override { return now; }
  [[nodiscard]] int64_t UnixNanos() const override { return now.count(); }
  Nanos now{1h};
};

TEST_CASE("a store that leaves has given away what it held less what it holds", "[progress]") {
  StoppedClock clock;
  StoreProgress progress(clock);
  CHECK_FALSE(progress.Find(StoreId{1}));
  progress.NoteRemoving(StoreId{1}, 1000);
  CHECK(progress.Find(StoreId{1})->fraction == 0);
  CHECK(progress.Find(StoreId{1})->left_s == Progress::kNever);
  clock.now += 10s;
  progress.NoteRemoving(StoreId{1}, 900);
  const auto report = progress.Find(StoreId{1});
  REQUIRE(report);
  CHECK(report->store == StoreId{1});
  CHECK(report->action == Action::kRemoving);
  CHECK(report->fraction == Approx(0.1));
  CHECK(report->speed_mib_per_s == Approx(10));
  CHECK(report->left_s == Approx(90));

  SECTION("what grows on it is to go as well") {
    clock.now += 10s;
    progress.NoteRemoving(StoreId{1}, 2000);
    CHECK(progress.Find(StoreId{1})->fraction == 0);
    clock.now += 10s;
    progress.NoteRemoving(StoreId{1}, 500);
    CHECK(progress.Find(StoreId{1})->fraction == Approx(0.75));
  }
  SECTION("once done it is shown for half a minute") {
    progress.Complete(StoreId{1}, Action::kPreparing);  // Not what it does.
    CHECK(progress.Find(StoreId{1})->fraction < 1);
    progress.Complete(StoreId{1}, Action::kRemoving);
    progress.Forget(StoreId{1});
    clock.now += 30s;
    progress.Complete(StoreId{1}, Action::kRemoving);
    CHECK(progress.Find(StoreId{1})->fraction == 1);
    CHECK(progress.Find(StoreId{1})->left_s == 0);
    clock.now += 1ns;
    CHECK_FALSE(progress.Find(StoreId{1}));
    CHECK(progress.All().empty());
  }
  SECTION("one that comes back has none, and starts again when it leaves again") {
    progress.Forget(StoreId{1});
    CHECK_FALSE(progress.Find(StoreId{1}));
    progress.NoteRemoving(StoreId{1}, 900);
    CHECK(progress.Find(StoreId{1})->fraction == 0);
  }
  SECTION("and so does one that does something else") {
    progress.NotePreparing(StoreId{1}, 100, 400);
    CHECK(progress.Find(StoreId{1})->action == Action::kPreparing);
    CHECK(progress.Find(StoreId{1})->fraction == Approx(0.25));
    CHECK(progress.Find(StoreId{1})->speed_mib_per_s == 0);
  }
  SECTION("all is forgotten with the lead") {
    progress.Clear();
    CHECK(progress.All().empty());
  }
}

TEST_CASE("a removal is measured over at least a round of the checkers", "[progress]") {
  StoppedClock clock;
  StoreProgress progress(clock);
  // 1 MiB/s for 20 minutes, then nothing for 10.
  uint64_t size_mib = 10'000;
  for (int i = 0; i < 120; ++i, clock.now += 10s) {
    progress.NoteRemoving(StoreId{1}, size_mib -= 10);
    progress.NotePreparing(StoreId{2}, 10'000 - size_mib, 10'000);
  }
  for (int i = 0; i < 60; ++i, clock.now += 10s) {
    progress.NoteRemoving(StoreId{1}, size_mib);
    progress.NotePreparing(StoreId{2}, 10'000 - size_mib, 10'000);
  }
  CHECK(progress.Find(StoreId{1})->speed_mib_per_s == 0);
  progress.NotePatrolRound(20min);
  CHECK(progress.Find(StoreId{1})->speed_mib_per_s == Approx(0.5));
  CHECK(progress.Find(StoreId{2})->speed_mib_per_s == 0);
}

TEST_CASE("the progress of an action is the mean of its stores", "[progress]") {
  StoppedClock clock;
  StoreProgress progress(clock);
  CHECK_FALSE(progress.MeanOf(Action::kRemoving));
  progress.NoteRemoving(StoreId{1}, 100);
  progress.NoteRemoving(StoreId{2}, 400);
  progress.NotePreparing(StoreId{3}, 0, 50);
  clock.now += 10s;
  progress.NoteRemoving(StoreId{1}, 50);
  progress.NoteRemoving(StoreId{2}, 300);
  const auto mean = progress.MeanOf(Action::kRemoving);
  REQUIRE(mean);
  CHECK(mean->store == StoreId{});
  CHECK(mean->fraction == Approx((0.5 + 0.25) / 2));
  CHECK(mean->speed_mib_per_s == Approx((5 + 10) / 2.0));
  CHECK(mean->left_s == Approx((10 + 30) / 2.0));
  CHECK(progress.MeanOf(Action::kPreparing)->left_s == Progress::kNever);
  progress.NoteRemoving(StoreId{4}, 10);
  CHECK(progress.MeanOf(Action::kRemoving)->left_s == Progress::kNever);
  CHECK(progress.All().size() == 4);
}

}  // namespace
}  // namespace pd

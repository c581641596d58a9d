#include "scheduler/schedulers/retry_quota.h"

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

using Asked = RetryQuota::Asked;
using Held = RetryQuota::Held;

Instant At(int64_t seconds) { return Instant{} + Seconds{seconds}; }

TEST_CASE("stores are held back in vain when that has lasted", "[retry-quota]") {
  RetryQuota quota;
  CHECK_FALSE(quota.HeldBackInVain(At(0)));
  quota.NoteRun(0, Held::kSome, At(0));
  quota.NoteRun(0, Held::kSome, At(30));
  CHECK_FALSE(quota.HeldBackInVain(At(59)));

  SECTION("the others move meanwhile") {
    quota.NoteRun(1, Held::kSome, At(59));
    CHECK_FALSE(quota.HeldBackInVain(At(60)));
    quota.NoteRun(0, Held::kSome, At(60));
    CHECK_FALSE(quota.HeldBackInVain(At(119)));
    CHECK(quota.HeldBackInVain(At(120)));
  }
  SECTION("nobody is held back any more") {
    quota.NoteRun(0, Held::kNone, At(59));
    CHECK_FALSE(quota.HeldBackInVain(At(60)));
  }
  SECTION("then they are not for as long as that brings something") {
    CHECK(quota.HeldBackInVain(At(60)));
    quota.NoteRun(4, Held::kNone, At(60));
    CHECK(quota.HeldBackInVain(At(61)));
    quota.NoteRun(0, Held::kNone, At(61));
    CHECK_FALSE(quota.HeldBackInVain(At(62)));
    CHECK_FALSE(quota.HeldBackInVain(At(200)));
  }
}

TEST_CASE("a store at the level is held back for seconds only", "[retry-quota]") {
  RetryQuota quota;
  CHECK_FALSE(quota.HeldAtLevelInVain(At(0)));
  quota.NoteRun(0, Held::kSome, At(0));
  CHECK_FALSE(quota.HeldAtLevelInVain(At(2)));
  CHECK(quota.HeldAtLevelInVain(At(3)));
  quota.NoteRun(1, Held::kNone, At(3));
  CHECK_FALSE(quota.HeldAtLevelInVain(At(3)));
  quota.NoteRun(0, Held::kSome, At(4));
  CHECK_FALSE(quota.HeldAtLevelInVain(At(6)));
  CHECK(quota.HeldAtLevelInVain(At(7)));
}

TEST_CASE("full stores take again when that has lasted", "[retry-quota]") {
  RetryQuota quota;
  CHECK_FALSE(quota.FullInVain(At(0)));
  quota.NoteFull(Held::kSome, Asked::kAll, At(0));
  quota.NoteFull(Held::kSome, Asked::kAll, At(59));
  CHECK_FALSE(quota.FullInVain(At(59)));
  CHECK(quota.FullInVain(At(60)));
  // As long as any is asked to take.
  quota.NoteFull(Held::kSome, Asked::kSome, At(200));
  quota.NoteFull(Held::kNone, Asked::kSome, At(201));
  CHECK(quota.FullInVain(At(201)));
  quota.NoteFull(Held::kNone, Asked::kAll, At(202));
  CHECK_FALSE(quota.FullInVain(At(300)));
  quota.NoteFull(Held::kSome, Asked::kSome, At(300));
  CHECK_FALSE(quota.FullInVain(At(359)));
}

TEST_CASE("where nothing runs for long, nothing has been waited for", "[retry-quota]") {
  RetryQuota quota;
  for (const int64_t second : {0, 30}) {
    quota.StartRun(At(second));
    quota.NoteRun(0, Held::kSome, At(second));
    quota.NoteFull(Held::kSome, Asked::kAll, At(second));
  }
  quota.StartRun(At(90));
  CHECK(quota.HeldAtLevelInVain(At(90)));
  CHECK(quota.HeldBackInVain(At(90)));
  CHECK(quota.FullInVain(At(90)));
  quota.StartRun(At(151));
  CHECK_FALSE(quota.HeldAtLevelInVain(At(151)));
  CHECK_FALSE(quota.HeldBackInVain(At(151)));
  CHECK_FALSE(quota.FullInVain(At(151)));
}

}  // namespace
}  // namespace scheduler

#include "scheduler/schedulers/retry_quota.h"

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

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

}  // namespace
}  // namespace scheduler

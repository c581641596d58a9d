#include "scheduler/stats/move_history.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

constexpr RegionId kRegion{7};
constexpr StoreId kStore{1};
constexpr Millis kHour = Seconds{3600};

Instant At(Millis time) { return Instant{} + time; }

TEST_CASE("what left a store is remembered for an hour", "[move-history]") {
  MoveHistory history;
  history.NoteLeft(MovedThing::kPeer, kRegion, kStore, At(Millis{0}));
  CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(Seconds{10}))->since ==
        Seconds{10});
  CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(Seconds{10}))->until == kHour);
  CHECK_FALSE(history.AwayFrom(MovedThing::kLeader, kRegion, kStore, At(Seconds{10})));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, RegionId{8}, kStore, At(Seconds{10})));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, StoreId{2}, At(Seconds{10})));
  CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(kHour - Millis{1})));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(kHour)));
  history.NoteLeft(MovedThing::kPeer, kRegion, kStore, At(Seconds{20}));
  CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(kHour)));
  history.Clear();
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(kHour)));
}

TEST_CASE("what is wanted back stays away longer, for a day at most", "[move-history]") {
  MoveHistory history;
  history.NoteLeft(MovedThing::kPeer, kRegion, kStore, At(Millis{0}));
  for (int half_hours = 1; half_hours < 48; ++half_hours) {
    const Instant now = At(kHour / 2 * half_hours);
    const auto away = history.AwayFrom(MovedThing::kPeer, kRegion, kStore, now);
    REQUIRE(away);
    CHECK(away->since == now - At(Millis{0}));
    history.NoteWantedBack(kRegion, kStore, now);
    CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, now)->until ==
          std::min(now + kHour - At(Millis{0}), 24 * kHour));
    // Others come and go.
    history.NoteLeft(MovedThing::kLeader, RegionId{100}, kStore, now);
  }
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(24 * kHour)));
  // What has been forgotten is not brought back.
  history.NoteWantedBack(kRegion, kStore, At(24 * kHour));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, kStore, At(24 * kHour)));
}

TEST_CASE("the oldest are forgotten when there are too many", "[move-history]") {
  MoveHistory history;
  for (uint64_t id = 0; id <= MoveHistory::kMax; ++id) {
    history.NoteLeft(MovedThing::kPeer, RegionId{id}, kStore, At(Millis{0}));
  }
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, RegionId{0}, kStore, At(Millis{0})));
  CHECK(history.AwayFrom(MovedThing::kPeer, RegionId{1}, kStore, At(Millis{0})));
  CHECK(history.AwayFrom(MovedThing::kPeer, RegionId{MoveHistory::kMax}, kStore, At(Millis{0})));
}

}  // namespace
}  // namespace scheduler

#include "pd/replication/lease.h"

#include <vector>

#include <catch2/catch.hpp>

#include "pd/replication/log_compaction.h"

namespace pd {
namespace {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] Nanos Monotonic() const override { return now; }
  [[nodiscard]] int64_t UnixNanos() const override { return now.count(); }
  Nanos now{1000};
};

TEST_CASE("the lease counts from the send time of an acknowledged round") {
  ManualClock clock;
  Lease lease(clock, Nanos(360));
  CHECK(lease.StartRound() == 0);
  lease.StartTerm(5);
  const uint64_t first = lease.StartRound();
  clock.now += Nanos(100);
  const uint64_t second = lease.StartRound();
  clock.now += Nanos(50);
  lease.Acknowledge(5, first);
  CHECK_FALSE(lease.Valid());  // The first entry of the term is not applied yet.
  lease.Open();
  CHECK(lease.Valid());
  CHECK(lease.end() == Nanos(1360));
  clock.now = Nanos(1359);
  CHECK(lease.Valid());
  clock.now = Nanos(1360);
  CHECK_FALSE(lease.Valid());
  lease.Acknowledge(5, second);
  CHECK(lease.end() == Nanos(1460));
  lease.Acknowledge(5, first);  // Late: nothing goes back.
  CHECK(lease.end() == Nanos(1460));
}

TEST_CASE("rounds of another term, unknown rounds and rounds before the term do not count") {
  ManualClock clock;
  Lease lease(clock, Nanos(360));
  lease.StartTerm(5);
  const uint64_t old = lease.StartRound();
  lease.Stop();
  lease.StartTerm(7);
  lease.Open();
  lease.Acknowledge(7, old);
  lease.Acknowledge(7, 999);
  CHECK_FALSE(lease.Valid());
  const uint64_t round = lease.StartRound();
  lease.Acknowledge(6, round);
  CHECK_FALSE(lease.Valid());
  lease.Acknowledge(7, round);
  CHECK(lease.Valid());
  lease.Stop();
  CHECK_FALSE(lease.Valid());
}

TEST_CASE("a lease given up does not come back in its term") {
  ManualClock clock;
  Lease lease(clock, Nanos(360));
  lease.StartTerm(5);
  lease.Open();
  lease.Acknowledge(5, lease.StartRound());
  REQUIRE(lease.Valid());
  const uint64_t round = lease.StartRound();
  lease.GiveUp();
  CHECK_FALSE(lease.Valid());
  lease.Acknowledge(5, round);
  lease.Open();
  CHECK_FALSE(lease.Valid());
  lease.StartTerm(6);
  lease.Open();
  lease.Acknowledge(6, lease.StartRound());
  CHECK(lease.Valid());
}

TEST_CASE("the lease of the only voter has no end until another voter comes") {
  ManualClock clock;
  Lease lease(clock, Nanos(360));
  lease.StartTerm(5);
  lease.SetSoleVoter(true);
  CHECK_FALSE(lease.Valid());  // Not open.
  lease.Open();
  clock.now += std::chrono::hours(1);
  CHECK(lease.Valid());
  lease.SetSoleVoter(false);
  CHECK_FALSE(lease.Valid());  // From now on a quorum must answer.
  lease.Acknowledge(5, lease.StartRound());
  CHECK(lease.Valid());
  clock.now += Nanos(360);
  CHECK_FALSE(lease.Valid());
  lease.SetSoleVoter(true);
  CHECK(lease.Valid());
  lease.GiveUp();
  CHECK_FALSE(lease.Valid());
  lease.StartTerm(6);
  lease.Open();
  CHECK(lease.Valid());
  lease.Stop();
  CHECK_FALSE(lease.Valid());
}

TEST_CASE("what may go of the log") {
  const LogLimits limits{100, 1000, 5000, 10};
  struct Case {
    const char* name;
    LogUse use;
    raft::LogIndex target;
  };
  const std::vector<Case> cases = {
      {"small enough", {1, 90, 90, 900, {}}, 0},
      {"too many entries, alone", {1, 200, 200, 100, {}}, 190},
      {"too many bytes, alone", {1, 50, 50, 2000, {}}, 40},
      {"the slowest healthy follower holds it", {1, 200, 200, 100, {150, 199}}, 150},
      {"a follower that has nothing holds it all", {1, 200, 200, 100, {0}}, 0},
      {"held before the first entry", {160, 200, 200, 2000, {150}}, 0},
      {"beyond the hard bound nobody holds it", {1, 200, 200, 6000, {150}}, 200},
      {"hard bound, nothing applied", {201, 200, 200, 6000, {}}, 0},
      {"fewer applied than are kept", {1, 5, 200, 2000, {}}, 0},
  };
  for (const Case& one : cases) {
    INFO(one.name);
    CHECK(CompactionTarget(one.use, limits) == one.target);
  }
}

}  // namespace
}  // namespace pd

#include "pd/members/publish_schedule.h"

#include <vector>

#include <catch2/catch.hpp>

#include "pd/runtime/clock.h"

namespace pd {
namespace {

constexpr raft::NodeId kLeader = 7;

TEST_CASE("failures to publish come further and further apart, and one line tells of them",
          "[members]") {
  PublishSchedule schedule;
  Nanos now{0};
  std::vector<int64_t> tries_ms;
  int lines = 0;
  // A duties thread that looks every 50 ms, for a minute.
  for (; now < std::chrono::minutes(1); now += Millis(50)) {
    if (!schedule.Due(now, kLeader)) continue;
    tries_ms.push_back(now / Millis(1));
    if (schedule.OnFailed(now, kLeader, "connection refused")) ++lines;
  }
  CHECK(tries_ms == std::vector<int64_t>{0, 100, 300, 700, 1500, 3100, 6300, 12'700, 22'700, 32'700,
                                         42'700, 52'700});
  CHECK(lines == 1);
}

TEST_CASE("changes are told, and another leader is tried at once", "[members]") {
  PublishSchedule schedule;
  CHECK(schedule.OnFailed(Nanos(0), kLeader, "refused"));
  CHECK_FALSE(schedule.OnFailed(Millis(100), kLeader, "refused"));
  CHECK(schedule.OnFailed(Millis(300), kLeader, "no route"));
  CHECK_FALSE(schedule.Due(Millis(301), kLeader));
  CHECK_FALSE(schedule.Due(Millis(301), 0));
  CHECK(schedule.Due(Millis(301), kLeader + 1));
  CHECK(schedule.OnFailed(Millis(301), kLeader + 1, "no route"));
  CHECK(schedule.Due(Millis(401), kLeader + 1));  // Begins with short waits again.
}

TEST_CASE("success is told once, and looked at again later", "[members]") {
  PublishSchedule schedule;
  CHECK_FALSE(schedule.OnPublished(Nanos(0)));
  CHECK_FALSE(schedule.Due(PublishSchedule::kAgain - Nanos(1), kLeader + 1));
  CHECK(schedule.Due(PublishSchedule::kAgain, kLeader));
  CHECK(schedule.OnFailed(PublishSchedule::kAgain, kLeader, "refused"));
  CHECK(schedule.OnPublished(PublishSchedule::kAgain));
  CHECK_FALSE(schedule.OnPublished(2 * PublishSchedule::kAgain));
  CHECK(schedule.OnFailed(3 * PublishSchedule::kAgain, kLeader, "refused"));
}

}  // namespace
}  // namespace pd

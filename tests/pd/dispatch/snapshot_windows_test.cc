#include "pd/dispatch/snapshot_windows.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Priority;
using Used = std::array<int64_t, 4>;

constexpr std::array kPriorities = {Priority::kLow, Priority::kMedium, Priority::kHigh,
                                    Priority::kUrgent};

/// What every priority finds free.
std::vector<int64_t> Free(const SnapshotWindows& windows) {
  std::vector<int64_t> free;
  for (const Priority priority : kPriorities) free.push_back(windows.FreeMib(priority));
  return free;
}

TEST_CASE("a priority has its own window and those below it", "[snapshot windows]") {
  SnapshotWindows windows;
  CHECK(Free(windows) == std::vector<int64_t>{100, 100, 100, 100});
  REQUIRE(windows.Book(Priority::kUrgent, 96));  // The lowest comes first, whoever asks.
  CHECK(windows.used_mib() == Used{96, 0, 0, 0});
  CHECK(Free(windows) == std::vector<int64_t>{4, 50, 50, 50});
  CHECK_FALSE(windows.HasRoom(Priority::kLow));
  REQUIRE(windows.Book(Priority::kMedium, 96));  // Larger than the window: it need not fit.
  CHECK(Free(windows) == std::vector<int64_t>{4, 4, 25, 25});
  CHECK_FALSE(windows.HasRoom(Priority::kMedium));
  REQUIRE(windows.Book(Priority::kHigh, 96));
  CHECK(Free(windows) == std::vector<int64_t>{4, 4, 4, 12});
  REQUIRE(windows.Book(Priority::kUrgent, 96));
  CHECK(windows.used_mib() == Used{96, 96, 96, 96});
  CHECK_FALSE(windows.HasRoom(Priority::kUrgent));
}

TEST_CASE("ten MiB must be free", "[snapshot windows]") {
  SnapshotWindows windows;
  REQUIRE(windows.Book(Priority::kLow, 90));
  CHECK(windows.HasRoom(Priority::kLow));
  REQUIRE(windows.Book(Priority::kLow, 1));
  CHECK(windows.FreeMib(Priority::kLow) == 9);
  CHECK_FALSE(windows.HasRoom(Priority::kLow));
}

TEST_CASE("the highest windows are freed first", "[snapshot windows]") {
  SnapshotWindows windows;
  for (const Priority priority : kPriorities) REQUIRE(windows.Book(priority, 96));
  windows.Release(96);
  CHECK(windows.used_mib() == Used{96, 96, 96, 0});
  windows.Release(100);
  CHECK(windows.used_mib() == Used{96, 92, 0, 0});
}

TEST_CASE("without room nothing is booked", "[snapshot windows]") {
  SnapshotWindows windows;
  CHECK(windows.Book(Priority::kMedium, 100));
  CHECK(windows.Book(Priority::kMedium, 100));
  CHECK_FALSE(windows.Book(Priority::kMedium, 100));
  CHECK(windows.used_mib() == Used{100, 100, 0, 0});
  CHECK(windows.Book(Priority::kHigh, 100));
}

TEST_CASE("bookings and releases in any order leave nothing behind", "[snapshot windows]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    SnapshotWindows windows;
    std::vector<int64_t> under_way;
    int64_t sum = 0;
    for (int i = 0; i < 100; ++i) {
      if (under_way.empty() || random() % 2 == 0) {
        const auto cost = static_cast<int64_t>(random() % 300);
        const Priority priority = kPriorities[random() % 4];
        const bool room = windows.HasRoom(priority);
        REQUIRE(windows.Book(priority, cost) == room);
        if (!room) continue;
        under_way.push_back(cost);
        sum += cost;
      } else {
        std::swap(under_way[random() % under_way.size()], under_way.back());
        windows.Release(under_way.back());
        sum -= under_way.back();
        under_way.pop_back();
      }
      if (random() % 10 == 0) windows.Feedback({random() % 20, random() % 20, random() % 60});
      REQUIRE(windows.total_used_mib() == sum);
      REQUIRE(std::ranges::min(windows.used_mib()) >= 0);
    }
    for (const int64_t cost : under_way) windows.Release(cost);
    REQUIRE(windows.used_mib() == Used{});
  }
}

/// The capacity after each of some snapshots of a store whose lowest window is full.
std::vector<int64_t> Learn(const std::vector<SnapshotTiming>& sent) {
  SnapshotWindows windows;
  REQUIRE(windows.Book(Priority::kLow, SnapshotWindows::kCapacityMaxMib));
  std::vector<int64_t> capacities;
  for (const SnapshotTiming& timing : sent) {
    windows.Feedback(timing);
    capacities.push_back(windows.capacity_mib());
  }
  return capacities;
}

TEST_CASE("the capacity follows how long snapshots wait", "[snapshot windows]") {
  // Errors 10 and 10: 20 * 10 + 10 * 10, then + 10 * 20.
  CHECK(Learn({{4, 6, 10}, {4, 6, 10}}) == std::vector<int64_t>{300, 400});
  // Half of the time is waiting: well balanced, the sum alone counts.
  CHECK(Learn({{4, 6, 10}, {4, 6, 20}}) == std::vector<int64_t>{300, 100});
  CHECK(Learn({{20, 20, 40}, {4, 6, 20}}) == std::vector<int64_t>{1200, 400});
  // Errors -30 and 10: the past is not forgotten.
  CHECK(Learn({{4, 6, 50}, {4, 6, 10}}) == std::vector<int64_t>{100, 100});
  // Quick ones count as five seconds: error 9.
  CHECK(Learn({{0, 1, 1}}) == std::vector<int64_t>{270});
  CHECK(Learn({}).empty());
}

TEST_CASE("hostile times keep the capacity within bounds", "[snapshot windows]") {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  CHECK(Learn({{kMost, kMost, 0}}) == std::vector<int64_t>{30 * 4 * 86'400});
  CHECK(Learn({{0, 0, kMost}}) == std::vector<int64_t>{100});
}

TEST_CASE("a store with room to spare teaches nothing", "[snapshot windows]") {
  SnapshotWindows windows;
  REQUIRE(windows.Book(Priority::kUrgent, 90));
  windows.Feedback({30, 30, 60});
  CHECK(windows.capacity_mib() == 100);
  REQUIRE(windows.Book(Priority::kUrgent, 1));
  windows.Feedback({30, 30, 60});
  CHECK(windows.capacity_mib() == 1800);
  CHECK(Free(windows) == std::vector<int64_t>{1709, 1709, 1709, 1709});
}

}  // namespace
}  // namespace pd

#include "pd/dispatch/split_scatter_queue.h"

#include <chrono>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::Instant;
using scheduler::RegionId;
using Attempt = SplitScatterQueue::Attempt;
using Batch = SplitScatterQueue::Batch;

constexpr Instant kStart{1000s};

Batch MakeBatch(const std::string& group, std::vector<RegionId> regions) {
  return {{group, {"a", "b"}}, regions.front(), 7, std::move(regions)};
}

/// Regions from `first` on.
Batch MakeLargeBatch(uint64_t first, size_t count) {
  std::vector<RegionId> regions;
  for (size_t i = 0; i < count; ++i) regions.push_back({first + i});
  return MakeBatch("large", std::move(regions));
}

std::vector<RegionId> DueIds(const SplitScatterQueue& queue, Instant now, size_t count_max = 99) {
  std::vector<RegionId> ids;
  for (const auto& waiting : queue.Due(now, count_max)) ids.push_back(waiting.region);
  return ids;
}

TEST_CASE("those that expire first come first, then by group and id", "[split_scatter]") {
  SplitScatterQueue queue;
  REQUIRE(queue.Add(MakeBatch("z", {{9}, {5}}), kStart));
  REQUIRE(queue.Add(MakeBatch("y", {{8}, {6}, {8}}), kStart));
  REQUIRE(queue.Add(MakeBatch("x", {{4}, {3}}), kStart + 1s));
  CHECK(DueIds(queue, kStart + 1s) == std::vector<RegionId>{{6}, {8}, {5}, {9}, {3}, {4}});
  CHECK(DueIds(queue, kStart + 1s, 3) == std::vector<RegionId>{{6}, {8}, {5}});
  CHECK(queue.size() == 6);
  const auto due = queue.Due(kStart, 1);
  CHECK(due.front().group == scheduler::SplitScatterGroup{"y", {"a", "b"}});
  CHECK(due.front().source == RegionId{8});
  CHECK(due.front().version == 7);
}

TEST_CASE("a batch is taken whole or not at all", "[split_scatter]") {
  SplitScatterQueue queue;
  REQUIRE(queue.Add(MakeLargeBatch(1, SplitScatterQueue::kRegionsMax - 2), kStart));
  CHECK_FALSE(queue.Add(MakeLargeBatch(10'000, 3), kStart));
  CHECK(queue.size() == SplitScatterQueue::kRegionsMax - 2);
  CHECK(queue.Add(MakeLargeBatch(10'000, 2), kStart));
  CHECK(queue.size() == SplitScatterQueue::kRegionsMax);
  CHECK_FALSE(queue.Add(MakeLargeBatch(20'000, 1), kStart));
  // Those that wait already need no room.
  CHECK(queue.Add(MakeLargeBatch(10'001, 1), kStart));
  CHECK(queue.size() == SplitScatterQueue::kRegionsMax);
  queue.Clear();
  CHECK(queue.size() == 0);
  CHECK(DueIds(queue, kStart).empty());
}

TEST_CASE("what is delayed waits, what is done is gone", "[split_scatter]") {
  SplitScatterQueue queue;
  REQUIRE(queue.Add(MakeBatch("g", {{5}, {9}}), kStart));
  const auto due = queue.Due(kStart, 99);
  queue.Delay(due[0], kStart + 1s, Attempt::kMade);
  CHECK(DueIds(queue, kStart) == std::vector<RegionId>{{9}});
  CHECK(DueIds(queue, kStart + 999ms) == std::vector<RegionId>{{9}});
  CHECK(DueIds(queue, kStart + 1s) == std::vector<RegionId>{{5}, {9}});
  queue.Done(due[1]);
  CHECK(DueIds(queue, kStart + 1s) == std::vector<RegionId>{{5}});
  queue.Done(due[1]);
  queue.Delay(due[1], kStart, Attempt::kMade);
  CHECK(queue.size() == 1);
}

TEST_CASE("with a newer split a region waits for that one", "[split_scatter]") {
  SplitScatterQueue queue;
  REQUIRE(queue.Add(MakeBatch("old", {{5}, {9}}), kStart));
  const auto old = queue.Due(kStart, 99);
  queue.Delay(old[0], kStart + 60s, Attempt::kMade);
  Batch newer = MakeBatch("new", {{5}, {12}});
  newer.version = 8;
  REQUIRE(queue.Add(newer, kStart + 2s));
  CHECK(queue.size() == 3);
  const auto due = queue.Due(kStart + 2s, 99);
  REQUIRE(due.size() == 3);
  CHECK(due[0].region == RegionId{9});
  CHECK(due[1].region == RegionId{5});
  CHECK(due[1].group.name == "new");
  CHECK(due[1].version == 8);
  // What was looked at before is another matter: nothing is lost by it.
  queue.Done(old[0]);
  queue.Delay(old[0], kStart + 60s, Attempt::kMade);
  CHECK(DueIds(queue, kStart + 2s) == std::vector<RegionId>{{9}, {5}, {12}});
  queue.Done(due[1]);
  CHECK(DueIds(queue, kStart + 60s) == std::vector<RegionId>{{9}, {12}});
}

TEST_CASE("after ten minutes they are dropped, and it is told what was tried", "[split_scatter]") {
  SplitScatterQueue queue;
  REQUIRE(queue.Add(MakeBatch("g", {{5}, {6}, {9}}), kStart));
  REQUIRE(queue.Add(MakeBatch("h", {{15}}), kStart + 1s));
  const auto due = queue.Due(kStart, 99);
  queue.Delay(due[0], kStart + 1s, Attempt::kMade);
  queue.Delay(due[0], kStart + 2s, Attempt::kNotYet);
  queue.Delay(due[1], kStart + 2s, Attempt::kNotYet);
  const Instant end = kStart + SplitScatterQueue::kAge;
  CHECK(queue.DropExpired(end - 1ms).attempted == 0);
  CHECK(queue.size() == 4);
  const auto expired = queue.DropExpired(end);
  CHECK(expired.attempted == 1);
  CHECK(expired.not_attempted == 2);
  CHECK(DueIds(queue, end) == std::vector<RegionId>{{15}});
  CHECK(queue.DropExpired(end).not_attempted == 0);
}

}  // namespace
}  // namespace pd

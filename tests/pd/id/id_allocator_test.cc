#include "pd/id/id_allocator.h"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

/// The replicated end of the windows, and allocators as leaders one after the other.
struct Bench {
  uint64_t end = 0;
  int reservations = 0;
  bool fails = false;
  Mutex mutex;

  Result<IdAllocator::Window> Reserve(uint64_t count) {
    const MutexLock lock(mutex);
    ++reservations;
    if (fails) return Fail(ErrorCode::kTimeout, "no quorum");
    const uint64_t windows = (count + IdAllocator::kWindow - 1) / IdAllocator::kWindow;
    const IdAllocator::Window window{end, end + windows * IdAllocator::kWindow};
    end = window.end;
    return window;
  }
  IdAllocator MakeAllocator() {
    return IdAllocator([this](uint64_t count) { return Reserve(count); });
  }
  void Lead(IdAllocator& ids) { ids.Start(*Reserve(1)); }
};

TEST_CASE("the first id of a new cluster is 1, batches are consecutive and answer the last",
          "[id]") {
  Bench bench;
  IdAllocator ids = bench.MakeAllocator();
  CHECK(ids.Allocate(1).error().code == ErrorCode::kNotLeader);
  bench.Lead(ids);
  // As recorded in tests/golden/alloc_ids.jsonl.
  for (const auto& [count, last] : std::vector<std::pair<uint32_t, uint64_t>>{
           {1, 1}, {1, 2}, {0, 3}, {10, 13}, {1000, 1013}, {5000, 6013}, {1, 6014}, {3, 6017}}) {
    CHECK(*ids.Allocate(count) == last);
  }
  CHECK(bench.end == 7000);
}

TEST_CASE("each new leader begins behind the window of the last", "[id]") {
  Bench bench;
  for (uint64_t leader = 0; leader < 3; ++leader) {
    IdAllocator ids = bench.MakeAllocator();
    bench.Lead(ids);
    CHECK(*ids.Allocate(1) == leader * 1000 + 1);
    ids.Stop();
    CHECK(ids.Allocate(1).error().code == ErrorCode::kNotLeader);
  }
}

TEST_CASE("a base set from outside shows at once after a rebase, else after the window", "[id]") {
  Bench bench;
  IdAllocator ids = bench.MakeAllocator();
  bench.Lead(ids);
  CHECK(*ids.Allocate(1) == 1);
  bench.end = 20'000;
  CHECK(*ids.Allocate(1) == 2);
  ids.Rebase();
  CHECK(*ids.Allocate(1) == 20'001);
  bench.end = 10;
  CHECK(*ids.Allocate(999) == 21'000);
  CHECK(*ids.Allocate(1) == 11);
  bench.end = 30'000;
  CHECK(*ids.Allocate(2000) == 32'000);
}

TEST_CASE("a failed reservation is an error, and the next call tries again", "[id]") {
  Bench bench;
  IdAllocator ids = bench.MakeAllocator();
  bench.Lead(ids);
  CHECK(*ids.Allocate(1000) == 1000);
  bench.fails = true;
  CHECK(ids.Allocate(1).error().code == ErrorCode::kTimeout);
  bench.fails = false;
  CHECK(*ids.Allocate(1) == 1001);
}

TEST_CASE("many threads never get the same id", "[id]") {
  Bench bench;
  IdAllocator ids = bench.MakeAllocator();
  bench.Lead(ids);
  std::vector<std::vector<uint64_t>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&ids, &mine] {
      for (uint32_t i = 0; i < 5000; ++i) {
        const uint32_t count = i % 7 + 1;
        const uint64_t last = *ids.Allocate(count);
        for (uint64_t id = last - count + 1; id <= last; ++id) mine.push_back(id);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  size_t total = 0;
  for (const auto& mine : got) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    total += mine.size();
    all.insert(mine.begin(), mine.end());
  }
  CHECK(all.size() == total);
  CHECK(*all.rbegin() == total);
}

}  // namespace
}  // namespace pd

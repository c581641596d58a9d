// What schedulers have found is kept, and planning does not wait for it.
#include "pd/dispatch/findings_keeper.h"

#include <atomic>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/harness/wait.h"

namespace pd {
namespace {

using harness::Eventually;
using scheduler::EvictSlowTrendConfig;

SchedulerTable::Entry Ran(const std::string& name = "evict-slow-trend-scheduler") {
  SchedulerTable::Entry entry;
  entry.name = name;
  return entry;
}

EvictSlowTrendConfig Evicts(uint64_t store) { return {1800, {{store}}}; }

/// What was written, on whichever thread; writes fail as long as the test says so.
struct Written {
  explicit Written(bool start = true) {
    if (start) keeper.Start();
  }

  Result<void> Write(const scheduler::SchedulerConfig& findings) {
    ++tries;
    if (const ErrorCode code = failure; code != ErrorCode::kIo) return Fail(code, "not now");
    const MutexLock lock(mutex);
    stores.push_back(std::get<EvictSlowTrendConfig>(findings).evicted.front().value);
    return {};
  }
  std::vector<uint64_t> Stores() {
    const MutexLock lock(mutex);
    return stores;
  }

  std::atomic<int> tries = 0;
  std::atomic<int> done = 0;
  std::atomic<ErrorCode> failure = ErrorCode::kIo;  // That one: none.
  Mutex mutex;
  std::vector<uint64_t> stores PD_GUARDED_BY(mutex);
  std::atomic<int> settled = 0;
  FindingsKeeper keeper{{[this](const auto&, const auto& findings) { return Write(findings); },
                         [this]() -> Result<void> {
                           ++settled;
                           const ErrorCode code = failure;
                           if (code == ErrorCode::kIo) return {};
                           if (code != ErrorCode::kNotLeader) keeper.NoteUnsettled();
                           return Fail(code, "not now");
                         },
                         [this] { ++done; }}};
};

TEST_CASE("what was given up is settled, however often that takes", "[findings]") {
  Written written;
  written.failure = ErrorCode::kTimeout;
  written.keeper.NoteUnsettled();
  REQUIRE(Eventually([&] { return written.settled >= 2; }));
  written.failure = ErrorCode::kIo;
  const int tries = written.settled;
  REQUIRE(Eventually([&] { return written.settled > tries; }));
  // Once it is settled, findings alone bring the thread back to work.
  written.keeper.Keep(Ran(), Evicts(1));
  REQUIRE(Eventually([&] { return written.done == 1; }));
  CHECK(written.settled <= tries + 2);
}

TEST_CASE("who does not lead any more has nothing to settle", "[findings]") {
  Written written(false);
  written.failure = ErrorCode::kNotLeader;
  written.keeper.NoteUnsettled();
  written.keeper.Turn();
  written.keeper.Turn();
  CHECK(written.settled == 1);
}

TEST_CASE("findings wait until they are kept, the newest alone", "[findings]") {
  Written written;
  written.failure = ErrorCode::kTimeout;
  written.keeper.Keep(Ran(), Evicts(1));
  REQUIRE(Eventually([&] { return written.tries >= 2; }));
  written.keeper.Keep(Ran(), Evicts(2));
  const auto waiting = written.keeper.Waiting();
  REQUIRE(waiting.size() == 1);
  CHECK(std::get<EvictSlowTrendConfig>(waiting.begin()->second.findings) == Evicts(2));
  CHECK(written.done == 0);
  written.failure = ErrorCode::kIo;
  REQUIRE(Eventually([&] { return written.keeper.Waiting().empty(); }));
  CHECK(written.Stores() == std::vector<uint64_t>{2});
  CHECK(Eventually([&] { return written.done == 1; }));
  written.keeper.Keep(Ran(), Evicts(3));
  CHECK(Eventually([&] { return written.Stores() == std::vector<uint64_t>{2, 3}; }));
}

TEST_CASE("what is found of a scheduler that is gone is not tried again", "[findings]") {
  Written written;
  written.failure = ErrorCode::kNotFound;
  written.keeper.Keep(Ran(), Evicts(1));
  CHECK(Eventually([&] { return written.keeper.Waiting().empty(); }));
  CHECK(written.tries == 1);
}

TEST_CASE("one that cannot be kept keeps no other from it, and goes with the lead", "[findings]") {
  Written written(false);
  written.failure = ErrorCode::kTimeout;
  written.keeper.Keep(Ran("a"), Evicts(1));
  written.keeper.Keep(Ran("b"), Evicts(2));
  written.keeper.Turn();  // On this thread, as nobody has started another one.
  CHECK(written.tries == 2);
  CHECK(written.keeper.Waiting().size() == 2);
  written.keeper.Clear();
  written.keeper.Turn();
  CHECK(written.tries == 2);
}

}  // namespace
}  // namespace pd

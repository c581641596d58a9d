#include "pd/tso/tso_oracle.h"

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/pd/tso/fake_clock.h"

namespace pd {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;
constexpr const char* kPrefix = "[PD:tso:ErrGenerateTimestamp]generate timestamp failed, ";

/// An oracle whose saves succeed at once, unless they are held.
struct Bench {
  FakeClock clock{kStart};
  bool lease = true;
  bool hold = false;
  int64_t saved = 0;
  std::vector<std::pair<int64_t, TsoOracle::SaveDone>> held;
  std::atomic<int> held_count{0};
  TsoOracle oracle{TsoOracle::Options{Millis(500), Millis(1)}, clock,
                   [this](int64_t end_ms, TsoOracle::SaveDone done) {
                     if (hold) {
                       held.emplace_back(end_ms, std::move(done));
                       ++held_count;
                     } else {
                       saved = end_ms;
                       done({});
                     }
                   },
                   [this] { return lease; }};

  void Lead() {
    const TsoOracle::Window window = oracle.Plan(saved);
    saved = window.end_ms;
    oracle.Start(window);
  }
  std::string Why(uint32_t count) { return oracle.TryGenerate(count).error().context; }
};

TEST_CASE("a jump whose window was saved for a time that is over is refused", "[tso]") {
  Bench bench;
  bench.Lead();
  bench.hold = true;
  const uint64_t ahead = Timestamp{kStart + 3'600'000, 0}.Composed();
  Result<void> done;
  std::thread reset([&] {
    done = bench.oracle.Reset(ahead, TsoOracle::IfSmaller::kRefuse, TsoOracle::GapCheck::kOff,
                              Nanos(0));
  });
  while (bench.oracle.events().saves.load() == 0) std::this_thread::yield();
  bench.oracle.Stop();
  bench.Lead();  // From a state that does not have the end of the jump.
  while (bench.held_count.load() == 0) std::this_thread::yield();
  bench.held.front().second({});
  reset.join();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kNotLeader);
  CHECK(bench.oracle.last().physical_ms < bench.oracle.saved_end_ms());
}

TEST_CASE("a time that cannot be stored is refused", "[tso]") {
  Bench bench;
  bench.Lead();
  const Timestamp last_storable{INT64_MAX / 1'000'000, 0};
  const auto done = bench.oracle.Reset(last_storable.Composed(), TsoOracle::IfSmaller::kRefuse,
                                       TsoOracle::GapCheck::kOff, Nanos(0));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("batches answer the last counter of one physical time", "[tso]") {
  Bench bench;
  bench.Lead();
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart, 1});
  CHECK(*bench.oracle.TryGenerate(10) == Timestamp{kStart, 11});
  bench.clock.Add(7);
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart, 12});
  bench.oracle.Tick();
  CHECK(*bench.oracle.TryGenerate(3) == Timestamp{kStart + 7, 3});
  CHECK(bench.oracle.last().Composed() == (static_cast<uint64_t>(kStart + 7) << 18) + 3);
}

TEST_CASE("refusals have the reference's texts", "[tso]") {
  Bench bench;
  CHECK(bench.Why(1) == std::string(kPrefix) + "timestamp in memory isn't initialized");
  bench.lease = false;
  CHECK(bench.Why(0) == std::string(kPrefix) + "requested pd is not leader of cluster");
  bench.lease = true;
  bench.Lead();
  CHECK(bench.Why(0) == std::string(kPrefix) + "tso count should be positive");
  CHECK(bench.Why(262'144) ==
        std::string(kPrefix) + "generate tso maximum number of retries exceeded");
  CHECK(*bench.oracle.TryGenerate(262'143) == Timestamp{kStart, 262'143});
  bench.lease = false;
  CHECK(bench.oracle.TryGenerate(1).error().code == ErrorCode::kNotLeader);
}

TEST_CASE("an overflow takes the next millisecond, up to the end of the window", "[tso]") {
  Bench bench;
  bench.hold = true;
  bench.Lead();
  for (int64_t ms = 0; ms < 500; ++ms) {
    CHECK(*bench.oracle.TryGenerate(200'000) == Timestamp{kStart + ms, 200'000});
  }
  CHECK(bench.oracle.TryGenerate(200'000).error().code == ErrorCode::kUnavailable);
  CHECK(bench.oracle.Generate(200'000).error().code == ErrorCode::kExhausted);
  bench.oracle.Tick();
  REQUIRE(bench.held.size() == 1);
  bench.held[0].second({});
  CHECK(*bench.oracle.TryGenerate(200'000) == Timestamp{kStart + 500, 200'000});
}

TEST_CASE("with little of the counter used an overflow waits for the clock", "[tso]") {
  Bench bench;
  bench.Lead();
  CHECK(bench.oracle.TryGenerate(100'000));
  CHECK(bench.oracle.TryGenerate(200'000).error().code == ErrorCode::kUnavailable);
  bench.clock.Add(1);
  CHECK(*bench.oracle.TryGenerate(200'000) == Timestamp{kStart + 1, 200'000});
}

TEST_CASE("a clock set back freezes time, one set forward is followed once a window is saved",
          "[tso]") {
  Bench bench;
  bench.Lead();
  bench.clock.Add(-100'000);
  bench.oracle.Tick();
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart, 1});
  CHECK(bench.oracle.events().clock_behind == 1);
  bench.clock.Set(kStart + 3'600'000);
  bench.hold = true;
  bench.oracle.Tick();
  CHECK(bench.oracle.TryGenerate(1)->physical_ms == kStart + 499);
  REQUIRE(bench.held.size() == 1);
  CHECK(bench.held[0].first == kStart + 3'600'500);
  bench.oracle.Tick();
  CHECK(bench.held.size() == 1);
  bench.held[0].second({});
  bench.oracle.Tick();
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart + 3'600'000, 1});
}

TEST_CASE("the window is saved again at its half, and after a failed save", "[tso]") {
  Bench bench;
  bench.hold = true;
  bench.Lead();
  bench.clock.Add(249);
  bench.oracle.Tick();
  CHECK(bench.held.empty());
  bench.clock.Add(1);
  bench.oracle.Tick();
  REQUIRE(bench.held.size() == 1);
  bench.held[0].second(Fail(ErrorCode::kTimeout, ""));
  CHECK(bench.oracle.saved_end_ms() == kStart + 500);
  bench.oracle.Tick();
  CHECK(bench.held.size() == 2);
}

TEST_CASE("the window reaches beyond the next tick, and is never empty", "[tso]") {
  using namespace std::chrono_literals;
  struct Row {
    Nanos window;
    Nanos update_interval;
    int64_t wanted_ms;
  };
  const Row rows[] = {
      {500ms, 50ms, 500}, {500ms, 250ms, 500}, {500ms, 251ms, 502}, {500ms, 10s, 20'000},
      {300ms, 1ms, 300},  {5ms, 1ms, 10},      {100us, 1ms, 10},    {1ns, 50ms, 100},
  };
  for (const Row& row : rows) {
    INFO(row.window.count() << " ns, ticks every " << row.update_interval.count() << " ns");
    const FakeClock clock(kStart);
    TsoOracle oracle(
        {row.window, row.update_interval}, clock, [](int64_t, const TsoOracle::SaveDone&) {},
        [] { return true; });
    const TsoOracle::Window window = oracle.Plan(0);
    CHECK(window.end_ms - window.start_ms == row.wanted_ms);
    oracle.Start(window);
    CHECK(oracle.TryGenerate(1)->physical_ms < oracle.saved_end_ms());
  }
}

TEST_CASE("time goes on when a save is done, not at the next tick", "[tso]") {
  Bench bench;
  bench.hold = true;
  bench.Lead();
  bench.clock.Add(10'000);
  bench.oracle.Tick();
  CHECK(bench.oracle.TryGenerate(1)->physical_ms == kStart + 499);
  REQUIRE(bench.held.size() == 1);
  bench.held[0].second({});
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart + 10'000, 1});
}

TEST_CASE("a new leader begins at the saved end, after a hand-over right behind the last grant",
          "[tso]") {
  Bench bench;
  bench.Lead();
  CHECK(bench.oracle.TryGenerate(5)->physical_ms == kStart);
  Bench crash;
  crash.saved = bench.saved;
  crash.Lead();
  CHECK(*crash.oracle.TryGenerate(1) == Timestamp{kStart + 500, 1});
  Bench planned;
  planned.saved = bench.oracle.Stop();
  CHECK(planned.saved == kStart + 1);
  CHECK(bench.oracle.TryGenerate(1).error().code == ErrorCode::kUnavailable);
  planned.Lead();
  CHECK(*planned.oracle.TryGenerate(1) == Timestamp{kStart + 1, 1});
}

TEST_CASE("what a save reports after a stop is void", "[tso]") {
  Bench bench;
  bench.hold = true;
  bench.Lead();
  bench.clock.Add(400);
  bench.oracle.Tick();
  REQUIRE(bench.held.size() == 1);
  bench.saved = bench.oracle.Stop();
  bench.held[0].second({});
  CHECK(bench.oracle.saved_end_ms() == 0);
  bench.Lead();
  bench.held[0].second({});
  CHECK(bench.oracle.saved_end_ms() == kStart + 901);
}

TEST_CASE("reset goes forward only, and not too far", "[tso]") {
  Bench bench;
  bench.Lead();
  REQUIRE(bench.oracle.TryGenerate(9));
  const Nanos day = std::chrono::hours(24);
  const auto reset = [&](uint64_t ts, TsoOracle::IfSmaller if_smaller, TsoOracle::GapCheck gap) {
    const auto done = bench.oracle.Reset(ts, if_smaller, gap, day);
    return done ? "ok"
                : done.error().context.substr(std::string("[PD:tso:ErrResetUserTimestamp]").size());
  };
  using Smaller = TsoOracle::IfSmaller;
  using Gap = TsoOracle::GapCheck;
  CHECK(reset(1, Smaller::kRefuse, Gap::kOn) ==
        "reset user timestamp failed, the specified ts is smaller than now");
  CHECK(reset(1, Smaller::kIgnore, Gap::kOn) == "ok");
  CHECK(reset(9'223'372'036'854'775'807U, Smaller::kRefuse, Gap::kOn) ==
        "reset user timestamp failed, the specified ts is smaller than now");
  CHECK(reset(bench.oracle.last().Composed(), Smaller::kRefuse, Gap::kOn) ==
        "reset user timestamp failed, the specified counter is smaller than now");
  const uint64_t far = Timestamp{kStart + 25 * 3'600'000, 3}.Composed();
  CHECK(reset(far, Smaller::kRefuse, Gap::kOn) ==
        "reset user timestamp failed, the specified ts is too larger than now");
  CHECK(reset(far, Smaller::kRefuse, Gap::kOff) == "ok");
  CHECK(*bench.oracle.TryGenerate(1) == Timestamp{kStart + 25 * 3'600'000, 4});
  CHECK(bench.saved > kStart + 25 * 3'600'000);
}

TEST_CASE("many threads get rising, distinct batches", "[tso]") {
  Bench bench;
  bench.Lead();
  std::vector<std::vector<uint64_t>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&bench, &mine] {
      for (int i = 0; i < 20'000; ++i) {
        if (const auto granted = bench.oracle.Generate(50)) mine.push_back(granted->Composed());
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    bench.clock.Add(1);
    bench.oracle.Tick();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  size_t total = 0;
  for (const auto& mine : got) {
    for (size_t i = 1; i < mine.size(); ++i) REQUIRE(mine[i] >= mine[i - 1] + 50);
    total += mine.size();
    all.insert(mine.begin(), mine.end());
  }
  CHECK(total > 0);
  CHECK(all.size() == total);
}

}  // namespace
}  // namespace pd

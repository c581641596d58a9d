#include "scheduler/stats/rolling_load.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler/model/classify.h"
#include "scheduler/model/rng.h"
#include "scheduler/stats/store_load.h"

namespace scheduler {
namespace {

Load Bytes(double amount) { return Load{{amount, 0, 0, 0}}; }

TEST_CASE("a windowed load is nothing until its window is full") {
  WindowedLoad load(60);
  load.Add(Bytes(100), 30);
  CHECK_FALSE(load.IsFull());
  CHECK(load.Rate() == Load{});
  load.Add(Bytes(200), 30);
  CHECK(load.IsFull());
  CHECK(load.Rate()[LoadDim::kByte] == Approx(5));
  // Half of the first report is still inside.
  load.Add(Bytes(150), 15);
  CHECK(load.Rate()[LoadDim::kByte] == Approx((50.0 + 200 + 150) / 60));
  // One long report fills it alone.
  load.Add(Bytes(1200), 120);
  CHECK(load.Rate()[LoadDim::kByte] == Approx(10));
}

/// Writes each second down.
class DumbWindow {
 public:
  void Add(double amount, uint64_t interval_s) {
    for (uint64_t i = 0; i < interval_s; ++i) {
      seconds_.push_back(amount / static_cast<double>(interval_s));
    }
  }
  [[nodiscard]] double Rate(size_t window_s) const {
    if (seconds_.size() < window_s) return 0;
    double sum = 0;
    for (size_t i = seconds_.size() - window_s; i < seconds_.size(); ++i) sum += seconds_[i];
    return sum / static_cast<double>(window_s);
  }
  [[nodiscard]] bool Full(size_t window_s) const { return seconds_.size() >= window_s; }

 private:
  std::vector<double> seconds_;
};

TEST_CASE("windowed and smoothed loads agree with twins that write each second down",
          "[property]") {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Rng rng(seed);
    const uint64_t window_s = 1 + rng.Below(100);
    WindowedLoad load(window_s);
    RollingLoad rolling(window_s);
    DumbWindow twin;
    std::vector<double> rates;
    for (int i = 0; i < 60; ++i) {
      const auto amount = static_cast<double>(rng.Below(1'000'000));
      const uint64_t interval_s = 3 + rng.Below(90);
      load.Add(Load{{amount, 2 * amount, 0, 0}}, interval_s);
      rolling.Add(Bytes(amount), interval_s);
      twin.Add(amount, interval_s);
      if (twin.Full(window_s)) rates.push_back(twin.Rate(window_s));
      CAPTURE(seed, i);
      REQUIRE(load.Rate()[LoadDim::kByte] == Approx(twin.Rate(window_s)));
      REQUIRE(load.Rate()[LoadDim::kKey] == Approx(2 * twin.Rate(window_s)));
      std::vector<double> last(
          rates.end() - static_cast<std::ptrdiff_t>(std::min<size_t>(rates.size(), 5)),
          rates.end());
      std::ranges::sort(last);
      const double median =
          last.empty() ? 0 : (last[(last.size() - 1) / 2] + last[last.size() / 2]) / 2;
      REQUIRE(rolling.Smoothed()[LoadDim::kByte] == Approx(median));
    }
  }
}

TEST_CASE("what came since the last look is a mean over its time") {
  RollingLoad load(60);
  load.Add(Bytes(100), 10);
  load.Add(Bytes(500), 20);
  CHECK(load.fresh_s() == 30);
  CHECK(load.FreshRate()[LoadDim::kByte] == Approx(20));
  load.ForgetFresh();
  CHECK(load.fresh_s() == 0);
  CHECK(load.FreshRate() == Load{});
}

TEST_CASE("the loads of a store are medians of its heartbeats; only threads for reads count") {
  RollingStoreLoad load;
  StoreStats stats;
  stats.bytes_read = 1000;
  stats.keys_read = 100;
  stats.read_queries = 50;
  stats.bytes_written = 2000;
  stats.write_queries = 20;
  stats.cpu_usages = {{"unified-read-po:0", 80}, {"unified-read-po:1", 40}, {"grpc-server-0", 70}};
  stats.interval_start_s = 100;
  stats.interval_end_s = 110;
  load.Report(stats);
  CHECK(load.Value().read == Load{{100, 10, 5, 120}});
  CHECK(load.Value().write == Load{{200, 0, 2, 0}});
  stats.interval_end_s = 101;
  stats.bytes_read = 1'000'000'000;
  load.Report(stats);  // Too short to count.
  CHECK(load.Value().read == Load{{100, 10, 5, 120}});
  stats.interval_end_s = 110;
  for (int i = 0; i < 2; ++i) load.Report(stats);
  CHECK(load.Value().read[LoadDim::kByte] == Approx(1e8));
}

TEST_CASE("what no store can have counted is left out of its loads") {
  RollingStoreLoad load;
  StoreStats stats;
  stats.bytes_read = UINT64_MAX;
  stats.keys_read = 100;
  stats.read_queries = kFlowInsane;
  stats.bytes_written = kFlowInsane - 1;
  stats.write_queries = UINT64_MAX - 5;
  stats.cpu_usages = {{"unified-read-po:0", UINT64_MAX}, {"unified-read-po:1", 40}};
  stats.interval_start_s = 100;
  stats.interval_end_s = 110;
  load.Report(stats);
  CHECK(load.Value().read == Load{{0, 10, 0, 40}});
  CHECK(load.Value().write[LoadDim::kByte] == Approx(static_cast<double>(kFlowInsane - 1) / 10));
  CHECK(load.Value().write[LoadDim::kQuery] == 0);
}

}  // namespace
}  // namespace scheduler

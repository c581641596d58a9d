#include "api/rate_limits.h"

#include <catch2/catch.hpp>

namespace api {
namespace {

class HandClock final : public pd::Clock {
 public:
  [[nodiscard]] pd::Nanos Monotonic() const override { return now; }
  [[nodiscard]] int64_t UnixNanos() const override { return now.count(); }
  pd::Nanos now{1'000'000'000};
};

struct Fixture {
  /// How many of `tries` calls, each over at once, get in.
  int Passing(const std::string& name, int tries) {
    int passed = 0;
    for (int i = 0; i < tries; ++i) {
      if (!limits.Enter(name)) continue;
      ++passed;
      limits.Leave(name);
    }
    return passed;
  }
  HandClock clock;
  pd::MetricsRegistry metrics;
  RateLimits limits{clock, metrics, "http"};
};

TEST_CASE("what has no limit passes") {
  Fixture f;
  CHECK(f.Passing("GetStore", 1000) == 1000);
  CHECK(f.limits.All().empty());
  CHECK_FALSE(f.limits.Get("GetStore"));
}

TEST_CASE("a rate lets its burst in, then what time brings") {
  Fixture f;
  f.limits.Set("GetStore", {.qps = 10, .burst = 3});
  CHECK(f.Passing("GetStore", 10) == 3);
  CHECK(f.Passing("Other", 10) == 10);
  f.clock.now += std::chrono::milliseconds(99);
  CHECK(f.Passing("GetStore", 10) == 0);
  f.clock.now += std::chrono::milliseconds(2);
  CHECK(f.Passing("GetStore", 10) == 1);
  f.clock.now += std::chrono::hours(1);
  CHECK(f.Passing("GetStore", 10) == 3);
  f.limits.Set("Half", {.qps = 0.5, .burst = 1});
  CHECK(f.Passing("Half", 5) == 1);
  f.clock.now += std::chrono::milliseconds(2001);
  CHECK(f.Passing("Half", 5) == 1);
}

TEST_CASE("calls under way are counted, shown and bounded") {
  Fixture f;
  CHECK(f.limits.Enter("GetStore"));  // Before there was a limit.
  f.limits.Set("GetStore", {.concurrency = 2});
  CHECK(f.limits.Enter("GetStore"));
  CHECK_FALSE(f.limits.Enter("GetStore"));
  CHECK(f.metrics.Render().find("pd_server_api_concurrency{kind=\"http\",api=\"GetStore\"} 2") !=
        std::string::npos);
  f.limits.Leave("GetStore");
  CHECK(f.limits.Enter("GetStore"));
  f.limits.Leave("GetStore");
  f.limits.Leave("GetStore");
  f.limits.Leave("GetStore");  // One too many changes nothing.
  CHECK(f.limits.Enter("GetStore"));
  CHECK(f.limits.Enter("GetStore"));
  CHECK_FALSE(f.limits.Enter("GetStore"));
}

TEST_CASE("limits are switched off and replaced as a whole") {
  Fixture f;
  f.limits.Set("A", {.concurrency = 1});
  CHECK(f.limits.Enter("A"));
  f.limits.SetEnabled(false);
  CHECK_FALSE(f.limits.enabled());
  CHECK(f.limits.Enter("A"));
  f.limits.SetEnabled(true);
  f.limits.Replace({{"B", {.qps = 1, .burst = 1}}});
  CHECK(f.limits.Enter("A"));
  CHECK(f.limits.All() == std::map<std::string, RateLimit>{{"B", {.qps = 1, .burst = 1}}});
  f.limits.Set("B", {});
  CHECK(f.limits.All().empty());
}

}  // namespace
}  // namespace api

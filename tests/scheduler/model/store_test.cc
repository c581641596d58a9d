#include "scheduler/model/store.h"

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

TEST_CASE("labels are merged without regard to case", "[store]") {
  using Labels = std::vector<StoreLabel>;
  const Labels current = {{"zone", "z1"}, {"Host", "h1"}};
  CHECK(MergeLabels(current, {{"host", "h2"}}) == Labels{{"zone", "z1"}, {"host", "h2"}});
  CHECK(MergeLabels(current, {{"ZONE", ""}}) == Labels{{"Host", "h1"}});
  CHECK(MergeLabels(current, {{"disk", "ssd"}, {"none", ""}}) ==
        Labels{{"zone", "z1"}, {"Host", "h1"}, {"disk", "ssd"}});
  Store store;
  store.labels = current;
  CHECK(store.Label("HOST") == "h1");
  CHECK(store.Label("rack").empty());
}

TEST_CASE("a store's heartbeat age decides how it is seen", "[store]") {
  Store store;
  const Instant now{Seconds{10000}};
  CHECK(store.DownTime(now) == Millis::max());
  CHECK(store.IsUnhealthy(now));
  store.last_heartbeat = now - Seconds{20};
  CHECK_FALSE(store.IsDisconnected(now));
  CHECK(store.IsDisconnected(now + Millis{1}));
  CHECK_FALSE(store.IsUnhealthy(now + Seconds{580}));
  CHECK(store.IsUnhealthy(now + Seconds{581}));
}

TEST_CASE("low space needs a known capacity and more than a few regions", "[store]") {
  Store store;
  CHECK_FALSE(IsLowSpace(store, 0.8));
  store.stats.capacity_bytes = uint64_t{100} << 30;
  store.stats.available_bytes = uint64_t{10} << 30;
  CHECK_FALSE(IsLowSpace(store, 0.8));
  store.counts.leaders = 100;
  CHECK(IsLowSpace(store, 0.8));
  CHECK_FALSE(IsLowSpace(store, 0.95));
}

}  // namespace
}  // namespace scheduler

#include "scheduler/operator/decision.h"

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

TEST_CASE("a reason is noted once for each store, with how often it stood in the way",
          "[decision]") {
  constexpr uint64_t kStores = 300;
  constexpr int kRounds = 3;
  Decision decision;
  for (int round = 0; round < kRounds; ++round) {
    for (uint64_t id = 0; id < kStores; ++id) {
      const auto value = static_cast<double>(round);
      decision.Refuse({Reason::kNoRegion, StoreId{id << 32U}, RegionId{}, value, 0, {}});
      decision.Refuse({Reason::kNoTarget, StoreId{id << 32U}, RegionId{}, value, 0, {}});
    }
  }
  REQUIRE(decision.refusals.size() == 2 * kStores);
  for (size_t i = 0; i < decision.refusals.size(); ++i) {
    const Refusal& refusal = decision.refusals[i];
    CHECK(refusal.store.value == i / 2 << 32U);  // In the order in which they came.
    CHECK(refusal.reason == (i % 2 == 0 ? Reason::kNoRegion : Reason::kNoTarget));
    CHECK(refusal.times == kRounds);
    CHECK(refusal.value == 0);  // Of the first.
  }
}

TEST_CASE("a decision that was copied counts on by itself", "[decision]") {
  Decision first;
  first.Refuse({Reason::kNoRegion, StoreId{1}, RegionId{}, 0, 0, {}});
  Decision second = first;
  second.Refuse({Reason::kNoRegion, StoreId{1}, RegionId{}, 0, 0, {}});
  second.Refuse({Reason::kNoRegion, StoreId{2}, RegionId{}, 0, 0, {}});
  REQUIRE(first.refusals.size() == 1);
  CHECK(first.refusals[0].times == 1);
  REQUIRE(second.refusals.size() == 2);
  CHECK(second.refusals[0].times == 2);
}

TEST_CASE("what would have gone back is wanted back, each region and store once", "[decision]") {
  Decision decision;
  for (const uint64_t region : {7U, 8U, 7U}) {
    decision.Refuse({Reason::kMovedRecently, StoreId{1}, RegionId{region}, 0, 0, {}});
  }
  CHECK(decision.refusals.size() == 1);
  CHECK(decision.wanted_back.size() == 2);
}

}  // namespace
}  // namespace scheduler

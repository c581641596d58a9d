#include "pd/dispatch/store_limits.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Influence;
using scheduler::Instant;
using scheduler::LimitType;
using scheduler::Priority;
using scheduler::Seconds;
using scheduler::StoreId;
using scheduler::StoreInfluence;
using scheduler::StoreLimitRoom;

Influence Adding(uint64_t store, int64_t cost) {
  Influence influence;
  influence.At({store}).cost[static_cast<size_t>(LimitType::kAddPeer)] = cost;
  return influence;
}

Instant At(int64_t seconds) { return {Seconds{seconds}}; }

struct Fixture {
  explicit Fixture(double rate) {
    Config file;
    file.schedule.default_store_limit.add_peer = rate;
    config =
        std::make_unique<ConfigStore>(file, [](const OnlineConfig&) { return Result<void>(); });
    limits = std::make_unique<StoreLimits>(*config);
  }
  void Set(const std::string& version) {
    REQUIRE(config->Update([&](OnlineConfig& online) -> Result<void> {
      online.schedule.store_limit_version = version;
      return {};
    }));
  }
  void SetAddRate(double rate) {
    REQUIRE(config->Update([&](OnlineConfig& online) -> Result<void> {
      online.schedule.default_store_limit.add_peer = rate;
      return {};
    }));
  }
  std::unique_ptr<ConfigStore> config;
  std::unique_ptr<StoreLimits> limits;
};

/// A move off store 1 to store 2, of a region with its leader on store 1.
Influence Moving(int64_t size_mib) {
  Influence influence = Adding(2, 1000);
  StoreInfluence& source = influence.At({1});
  source.cost[static_cast<size_t>(LimitType::kRemovePeer)] = 1000;
  source.cost[static_cast<size_t>(LimitType::kSendSnapshot)] = size_mib;
  return influence;
}

int64_t UsedBy(const StoreLimits& limits, uint64_t store) {
  const auto windows = limits.WindowsOf({store});
  REQUIRE(windows);
  return windows->total_used_mib();
}

TEST_CASE("a store limit fills at its rate up to one region", "[limits]") {
  Fixture f(15);  // A region of normal size every four seconds.
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  CHECK(f.limits->Take(Adding(1, 1000), Priority::kMedium, At(0)));
  const auto refusal = f.limits->Take(Adding(1, 1000), Priority::kMedium, At(3));
  REQUIRE_FALSE(refusal);
  CHECK(RefusalText(refusal.error()) == "store-add-limit store=1 value=750 bound=1000");
  CHECK(f.limits->Take(Adding(1, 200), Priority::kMedium, At(3)));
  CHECK(f.limits->Room({1}, At(3)).add_peer == 550);
  CHECK(f.limits->Room({1}, At(100)).add_peer == 1000);
  CHECK(f.limits->Room({2}, At(3)).add_peer == 1000);
  CHECK(f.limits->Room({1}, At(3)).remove_peer == 1000);
}

TEST_CASE("a fast store limit holds a second's worth", "[limits]") {
  Fixture f(600);
  CHECK(f.limits->Room({1}, At(0)).add_peer == 10000);
}

TEST_CASE("a store limit that is full is full at a new rate as well", "[limits]") {
  Fixture f(15);
  REQUIRE(f.limits->Take(Adding(1, 1000), Priority::kMedium, At(0)));
  f.SetAddRate(1200);  // 20 regions a second.
  CHECK(f.limits->Room({1}, At(0)).add_peer == 0);
  CHECK(f.limits->Room({2}, At(0)).add_peer == 20'000);
  CHECK(f.limits->Room({1}, At(1)).add_peer == 20'000);
  f.SetAddRate(15);
  CHECK(f.limits->Room({1}, At(1)).add_peer == 1000);
}

TEST_CASE("the room of many stores is that of each", "[limits]") {
  Fixture f(15);
  REQUIRE(f.limits->Take(Adding(2, 1000), Priority::kMedium, At(0)));
  std::vector<scheduler::Store> stores(3);
  for (uint64_t i = 0; i < stores.size(); ++i) stores[i].id = {i + 1};
  f.limits->FillRooms(stores, At(2));
  for (const scheduler::Store& store : stores) {
    CHECK(store.room == f.limits->Room(store.id, At(2)));
  }
  CHECK(stores[0].room.add_peer == 1000);
  CHECK(stores[1].room.add_peer == 500);
}

TEST_CASE("zero and a hundred million are no limits", "[limits]") {
  for (const double rate : {0.0, 1e8}) {
    Fixture f(rate);
    CHECK(f.limits->Room({1}, At(0)).add_peer == StoreLimitRoom::kUnlimited);
    for (int i = 0; i < 100; ++i) CHECK(f.limits->Take(Adding(1, 1000), Priority::kMedium, At(0)));
  }
}

TEST_CASE("all stores of an operator or none are charged", "[limits]") {
  Fixture f(15);
  CHECK(f.limits->Take(Adding(2, 1000), Priority::kMedium, At(0)));
  Influence both = Adding(1, 1000);
  both.Add(Adding(2, 1000));
  CHECK_FALSE(f.limits->Take(both, Priority::kMedium, At(0)));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  f.limits->TakeAnyway(both, Priority::kMedium, At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 0);
}

TEST_CASE("what was taken can be given back, and no more than that", "[limits]") {
  Fixture f(15);
  const auto taken = f.limits->Take(Adding(1, 600), Priority::kMedium, At(0));
  REQUIRE(taken);
  f.limits->GiveBack(*taken, At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  // Urgent operators take what there is: that much comes back.
  CHECK(f.limits->Take(Adding(1, 600), Priority::kMedium, At(0)));
  f.limits->GiveBack(f.limits->TakeAnyway(Adding(1, 1000), Priority::kMedium, At(0)), At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 400);
  // A bucket that has filled meanwhile does not overflow.
  const auto late = f.limits->Take(Adding(2, 600), Priority::kMedium, At(0));
  REQUIRE(late);
  f.limits->GiveBack(*late, At(100));
  CHECK(f.limits->Room({2}, At(100)).add_peer == 1000);
}

TEST_CASE("version 2 limits what a store sends, by priority, and no rates", "[limits]") {
  Fixture f(15);
  f.Set("v2");
  for (int i = 0; i < 10; ++i) CHECK(f.limits->Take(Adding(2, 1000), Priority::kMedium, At(0)));
  CHECK(f.limits->Room({2}, At(0)).add_peer == StoreLimitRoom::kUnlimited);
  CHECK(f.limits->Room({1}, At(0)).remove_peer == StoreLimitRoom::kUnlimited);
  CHECK(f.limits->Take(Moving(96), Priority::kMedium, At(0)));
  CHECK(f.limits->Room({1}, At(0)).send_snapshot == std::array<int64_t, 4>{4, 50, 50, 50});
  CHECK(f.limits->Take(Moving(96), Priority::kMedium, At(0)));
  const auto refusal =
      f.limits->Take(Moving(96), Priority::kMedium, At(1000));  // Time frees nothing.
  REQUIRE_FALSE(refusal);
  CHECK(RefusalText(refusal.error()) ==
        "store-send-limit store=1 value=4 bound=10 (192 MiB under way)");
  CHECK(f.limits->Take(Moving(96), Priority::kHigh, At(0)));
  CHECK_FALSE(f.limits->Take(Moving(96), Priority::kHigh, At(0)));
  CHECK(f.limits->Room({2}, At(0)).send_snapshot == std::array<int64_t, 4>{100, 100, 100, 100});
}

TEST_CASE("what an operator sends is free again when it ends, or does not start", "[limits]") {
  Fixture f(15);
  f.Set("v2");
  const auto one = f.limits->Take(Moving(96), Priority::kLow, At(0));
  REQUIRE(one);
  CHECK_FALSE(f.limits->Take(Moving(96), Priority::kLow, At(0)));
  const auto urgent = f.limits->TakeAnyway(Moving(500), Priority::kUrgent, At(0));
  CHECK(UsedBy(*f.limits, 1) == 596);
  // What does not wait takes what there is: of nothing, nothing comes back.
  const auto uncounted = f.limits->TakeAnyway(Moving(70), Priority::kLow, At(0));
  CHECK(UsedBy(*f.limits, 1) == 596);
  f.limits->Release(uncounted.snapshots);
  CHECK(UsedBy(*f.limits, 1) == 596);
  f.limits->GiveBack(urgent, At(0));
  CHECK(UsedBy(*f.limits, 1) == 96);
  f.limits->Release(one->snapshots);
  CHECK(UsedBy(*f.limits, 1) == 0);
  CHECK(f.limits->Take(Moving(96), Priority::kLow, At(0)));
}

TEST_CASE("the version may change with operators under way", "[limits]") {
  Fixture f(15);
  CHECK(f.limits->Room({1}, At(0)).send_snapshot[0] == StoreLimitRoom::kUnlimited);
  const auto first = f.limits->Take(Moving(300), Priority::kLow, At(0));
  REQUIRE(first);
  CHECK_FALSE(f.limits->WindowsOf({1}));
  // What was begun under version 1 is known to version 2.
  f.Set("v2");
  CHECK(UsedBy(*f.limits, 1) == 300);
  CHECK_FALSE(f.limits->Take(Moving(10), Priority::kLow, At(0)));
  f.limits->Release(first->snapshots);
  const auto second = f.limits->Take(Moving(300), Priority::kLow, At(0));
  REQUIRE(second);
  // Version 1 goes on with its tokens, filled meanwhile; what ends under it leaves nothing behind for version 2.
  f.Set("v1");
  CHECK(f.limits->Room({2}, At(2)).add_peer == 500);
  CHECK(f.limits->Room({1}, At(2)).remove_peer == 500);
  f.limits->Release(second->snapshots);
  f.Set("v2");
  CHECK(UsedBy(*f.limits, 1) == 0);
  // Tokens that were taken under version 1 go back to it.
  f.Set("v1");
  const auto third = f.limits->Take(Moving(100), Priority::kLow, At(10));
  REQUIRE(third);
  f.Set("v2");
  f.limits->GiveBack(*third, At(10));
  CHECK(UsedBy(*f.limits, 1) == 0);
  f.Set("v1");
  CHECK(f.limits->Room({2}, At(10)).add_peer == 1000);
}

TEST_CASE("an operator of an earlier lead frees nothing of this one", "[limits]") {
  Fixture f(15);
  f.Set("v2");
  const auto old = f.limits->Take(Moving(96), Priority::kLow, At(0));
  REQUIRE(old);
  f.limits->Clear();
  CHECK(UsedBy(*f.limits, 1) == 0);
  CHECK(f.limits->Take(Moving(96), Priority::kLow, At(0)));
  f.limits->Release(old->snapshots);
  CHECK(UsedBy(*f.limits, 1) == 96);
}

TEST_CASE("a full store that sends quickly may send more, under version 2", "[limits]") {
  Fixture f(15);
  REQUIRE(f.limits->Take(Moving(96), Priority::kLow, At(0)));
  const std::vector<SnapshotTiming> quick = {{10, 10, 20}};
  f.limits->Feedback({1}, quick);
  f.Set("v2");
  CHECK(f.limits->WindowsOf({1})->capacity_mib() == 100);
  f.limits->Feedback({1}, quick);
  CHECK(f.limits->WindowsOf({1})->capacity_mib() == 600);
  f.limits->Feedback({2}, quick);  // Has nothing to send.
  CHECK(f.limits->WindowsOf({2})->capacity_mib() == 100);
  f.limits->Clear();
  CHECK(f.limits->WindowsOf({1})->capacity_mib() == 100);
}

}  // namespace
}  // namespace pd

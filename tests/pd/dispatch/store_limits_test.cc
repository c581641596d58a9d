#include "pd/dispatch/store_limits.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Influence;
using scheduler::Instant;
using scheduler::LimitType;
using scheduler::Seconds;
using scheduler::StoreId;

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
  std::unique_ptr<ConfigStore> config;
  std::unique_ptr<StoreLimits> limits;
};

TEST_CASE("a store limit fills at its rate up to one region", "[limits]") {
  Fixture f(15);  // A region of normal size every four seconds.
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  CHECK(f.limits->Take(Adding(1, 1000), At(0)));
  const auto refusal = f.limits->Take(Adding(1, 1000), At(3));
  REQUIRE_FALSE(refusal);
  CHECK(RefusalText(refusal.error()) == "store-add-limit store=1 value=750 bound=1000");
  CHECK(f.limits->Take(Adding(1, 200), At(3)));
  CHECK(f.limits->Room({1}, At(3)).add_peer == 550);
  CHECK(f.limits->Room({1}, At(100)).add_peer == 1000);
  CHECK(f.limits->Room({2}, At(3)).add_peer == 1000);
  CHECK(f.limits->Room({1}, At(3)).remove_peer == 1000);
}

TEST_CASE("a fast store limit holds a second's worth", "[limits]") {
  Fixture f(600);
  CHECK(f.limits->Room({1}, At(0)).add_peer == 10000);
}

TEST_CASE("zero and a hundred million are no limits", "[limits]") {
  for (const double rate : {0.0, 1e8}) {
    Fixture f(rate);
    CHECK(f.limits->Room({1}, At(0)).add_peer == scheduler::StoreLimitRoom::kUnlimited);
    for (int i = 0; i < 100; ++i) CHECK(f.limits->Take(Adding(1, 1000), At(0)));
  }
}

TEST_CASE("all stores of an operator or none are charged", "[limits]") {
  Fixture f(15);
  CHECK(f.limits->Take(Adding(2, 1000), At(0)));
  Influence both = Adding(1, 1000);
  both.Add(Adding(2, 1000));
  CHECK_FALSE(f.limits->Take(both, At(0)));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  f.limits->TakeAnyway(both, At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 0);
}

TEST_CASE("what was taken can be given back, and no more than that", "[limits]") {
  Fixture f(15);
  const auto taken = f.limits->Take(Adding(1, 600), At(0));
  REQUIRE(taken);
  f.limits->GiveBack(*taken, At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 1000);
  // Urgent operators take what there is: that much comes back.
  CHECK(f.limits->Take(Adding(1, 600), At(0)));
  f.limits->GiveBack(f.limits->TakeAnyway(Adding(1, 1000), At(0)), At(0));
  CHECK(f.limits->Room({1}, At(0)).add_peer == 400);
  // A bucket that has filled meanwhile does not overflow.
  const auto late = f.limits->Take(Adding(2, 600), At(0));
  REQUIRE(late);
  f.limits->GiveBack(*late, At(100));
  CHECK(f.limits->Room({2}, At(100)).add_peer == 1000);
}

}  // namespace
}  // namespace pd

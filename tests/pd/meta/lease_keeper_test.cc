#include "pd/meta/lease_keeper.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;

TEST_CASE("only a leader counts time") {
  LeaseKeeper keeper;
  keeper.Granted({1, 1000}, 0ms);
  CHECK(keeper.Ids().error().code == ErrorCode::kNotLeader);
  CHECK(keeper.Get(1, 0ms).error().code == ErrorCode::kNotLeader);
  CHECK(keeper.KeepAlive(1, 0ms).error().code == ErrorCode::kNotLeader);
  keeper.Start(5, {{1, 1000, 1000}, {2, 60'000, 200}}, 0ms);
  CHECK(keeper.Ids() == std::vector<LeaseId>{1, 2});
  CHECK(keeper.Get(2, 0ms)->granted_ms == 60'000);
  CHECK(keeper.Get(2, 50ms)->remaining_ms == 150);
  CHECK(keeper.Get(2, 500ms)->remaining_ms == 0);
  CHECK(keeper.Get(3, 0ms).error().code == ErrorCode::kNotFound);
  CHECK(keeper.KeepAlive(3, 0ms).error().code == ErrorCode::kNotFound);
  keeper.Stop();
  CHECK(keeper.Ids().error().code == ErrorCode::kNotLeader);
  CHECK(keeper.TakeExpired(1h, 1ms).expired.empty());
}

TEST_CASE("a lease runs out once, and is named again until it is revoked") {
  LeaseKeeper keeper;
  keeper.Start(5, {}, 0ms);
  keeper.Granted({1, 1000}, 0ms);
  keeper.Granted({2, 3000}, 0ms);
  CHECK(keeper.TakeExpired(999ms, 500ms).expired.empty());
  CHECK(keeper.KeepAlive(1, 900ms) == 1000);
  CHECK(keeper.TakeExpired(1899ms, 500ms).expired.empty());
  const auto due = keeper.TakeExpired(1900ms, 500ms);
  CHECK(due.term == 5);
  CHECK(due.expired == std::vector<LeaseId>{1});
  CHECK_FALSE(keeper.KeepAlive(1, 1900ms).has_value());  // Too late.
  CHECK(keeper.TakeExpired(2000ms, 500ms).expired.empty());
  CHECK(keeper.TakeExpired(2400ms, 500ms).expired == std::vector<LeaseId>{1});
  keeper.Revoked(1);
  CHECK(keeper.TakeExpired(3000ms, 500ms).expired == std::vector<LeaseId>{2});
}

TEST_CASE("a lease that ran out cannot be kept alive, though nobody has noticed yet") {
  LeaseKeeper keeper;
  keeper.Start(5, {{1, 1000, 1000}}, 0ms);
  CHECK_FALSE(keeper.KeepAlive(1, 1000ms).has_value());
}

TEST_CASE("checkpoints hold the long leases") {
  LeaseKeeper keeper;
  keeper.Start(5, {{1, 1000, 1000}, {2, 90'000, 90'000}}, 0ms);
  const LeaseCheckpoint checkpoint = keeper.Remaining(30s, 60'000);
  REQUIRE(checkpoint.leases.size() == 1);
  CHECK(checkpoint.leases[0].id == 2);
  CHECK(checkpoint.leases[0].remaining_ms == 60'000);
}

TEST_CASE("a lease kept alive is saved in full again, once") {
  LeaseKeeper keeper;
  keeper.Start(5, {{1, 90'000, 90'000}, {2, 90'000, 30'000}}, 0ms);
  CHECK_FALSE(keeper.TakeShortened(1));
  CHECK(keeper.TakeShortened(2));
  CHECK_FALSE(keeper.TakeShortened(2));
  CHECK(keeper.Remaining(1s, 60'000).leases.size() == 2);
  CHECK(keeper.TakeShortened(1));
  CHECK_FALSE(keeper.TakeShortened(1));
  CHECK_FALSE(keeper.TakeShortened(3));
}

TEST_CASE("a lease whose save failed is to be saved again, in the same term") {
  LeaseKeeper keeper;
  keeper.Start(5, {{1, 90'000, 30'000}}, 0ms);
  CHECK(keeper.TakeShortened(1) == raft::Term{5});
  keeper.NotSaved(1, 4);
  keeper.NotSaved(2, 5);
  CHECK_FALSE(keeper.TakeShortened(1));
  keeper.NotSaved(1, 5);
  CHECK(keeper.TakeShortened(1) == raft::Term{5});
  CHECK_FALSE(keeper.TakeShortened(1));
  keeper.Stop();
  keeper.NotSaved(1, 5);
  CHECK_FALSE(keeper.TakeShortened(1));
}

TEST_CASE("a time to live beyond all clocks does not overflow") {
  LeaseKeeper keeper;
  keeper.Start(5, {}, 0ms);
  keeper.Granted({1, INT64_MAX}, 1h);
  CHECK(keeper.TakeExpired(24h * 365, 1ms).expired.empty());
  CHECK(keeper.KeepAlive(1, 2h) == INT64_MAX);
}

}  // namespace
}  // namespace pd

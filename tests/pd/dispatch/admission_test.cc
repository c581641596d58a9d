#include "pd/dispatch/admission.h"

#include <vector>

#include <catch2/catch.hpp>

#include "pd/runtime/clock.h"
#include "tests/pd/dispatch/dispatching.h"

namespace pd {
namespace {

using scheduler::Proposal;
using scheduler::Reason;
using scheduler::Region;
using test::MakeRegion;

/// Admission over a region table of one region, stores limited to a region every four seconds.
struct Fixture : test::Dispatching {
  Fixture() {
    region = MakeRegion(7, {1, 2, 3});
    REQUIRE(table.Report(region, {}));
  }
  /// A new peer on store 4, planned on the region as it was at first.
  [[nodiscard]] Proposal Add() const {
    Proposal proposal;
    proposal.desc = "add";
    proposal.region = region.id;
    proposal.epoch = region.epoch;
    proposal.size_mib = region.size_mib;
    proposal.kind = scheduler::Kind::kRegion;
    proposal.steps = {scheduler::AddLearner{{4}, {}, region.leader.store},
                      scheduler::PromoteLearner{{4}, {}}};
    return proposal;
  }
  [[nodiscard]] int64_t Room() { return limits.Room({4}, InstantOf(clock.Monotonic())).add_peer; }
  /// Under version 2 of the limits: what the leader's store has under way.
  [[nodiscard]] int64_t SentMib() { return limits.WindowsOf({1})->total_used_mib(); }
  void LimitSnapshots() {
    ids.Start({1000, 1000});
    REQUIRE(config.Update([](OnlineConfig& online) -> Result<void> {
      online.schedule.store_limit_version = "v2";
      return {};
    }));
  }
  void Split() {
    Region split = region;
    split.epoch.version += 1;
    REQUIRE(table.Report(split, {}));
    runner.OnHeartbeat(split);
  }

  Region region;
};

TEST_CASE("what is admitted gets its ids, costs its tokens and starts", "[admission]") {
  Fixture f;
  f.ids.Start({1000, 1000});
  REQUIRE(f.Room() == 1000);
  CHECK_FALSE(f.admission.Admit(f.Add()));
  CHECK(f.Room() == 0);
  REQUIRE(f.runner.Find({7}));
  CHECK(f.runner.Find({7})->op.plan().NewPeerStores().empty());
  CHECK(f.commands.heard.size() == 1);
}

TEST_CASE("a region that changes while ids are drawn starts nothing and costs nothing",
          "[admission]") {
  Fixture f;
  f.ids.Start({1000, 1000});
  f.reserve = [&]() -> Result<IdAllocator::Window> {
    f.Split();
    return IdAllocator::Window{1000, 2000};
  };
  const auto refusal = f.admission.Admit(f.Add());
  REQUIRE(refusal);
  CHECK(RefusalText(*refusal) == "stale-epoch region=7 value=2 bound=3");
  CHECK(f.Room() == 1000);
  CHECK(f.runner.running_count() == 0);
  CHECK(f.commands.heard.empty());
}

TEST_CASE("without ids nothing is spent", "[admission]") {
  Fixture f;
  const auto refusal = f.admission.Admit(f.Add());
  REQUIRE(refusal);
  CHECK(refusal->reason == Reason::kNotLeader);
  CHECK(f.Room() == 1000);
}

TEST_CASE("an operator has its snapshot booked until it ends, however it does", "[admission]") {
  Fixture f;
  f.LimitSnapshots();
  CHECK_FALSE(f.admission.Admit(f.Add()));
  const auto size_mib = static_cast<int64_t>(f.region.size_mib);
  REQUIRE(size_mib > 0);
  CHECK(f.SentMib() == size_mib);

  SECTION("cancelled") { CHECK(f.runner.Cancel({7}, scheduler::CancelReason::kAdminStop)); }
  SECTION("timed out") {
    f.clock.monotonic += std::chrono::hours(1);
    f.runner.OnHeartbeat(f.region);
  }
  SECTION("overtaken by another change") {
    Region changed = f.region;
    changed.epoch.conf_ver += 5;
    f.runner.OnHeartbeat(changed);
  }
  SECTION("successful") {
    Region done = f.region;
    done.peers.push_back({{1001}, {4}, scheduler::PeerRole::kLearner});
    done.epoch.conf_ver += 1;
    f.runner.OnHeartbeat(done);
    CHECK(f.SentMib() == size_mib);
    done.peers.back().role = scheduler::PeerRole::kVoter;
    done.epoch.conf_ver += 1;
    f.runner.OnHeartbeat(done);
    CHECK(f.runner.Find({7})->op.status() == scheduler::Status::kSuccess);
  }
  SECTION("lost with the lead") { f.runner.Clear(); }
  SECTION("replaced") {
    Proposal urgent = f.Add();
    urgent.priority = scheduler::Priority::kUrgent;
    urgent.steps = {scheduler::TransferLeader{{1}, {2}, {}}};
    CHECK_FALSE(f.admission.Admit(urgent));
  }
  CHECK(f.SentMib() == 0);
}

TEST_CASE("what does not start books no snapshot", "[admission]") {
  Fixture f;
  f.LimitSnapshots();
  f.reserve = [&]() -> Result<IdAllocator::Window> {
    f.Split();
    return IdAllocator::Window{1000, 2000};
  };
  REQUIRE(f.admission.Admit(f.Add()));
  CHECK(f.SentMib() == 0);
}

/// Regions 7 and 8, a new peer each: on store 4, and on store 5.
struct PairFixture : Fixture {
  PairFixture() {
    ids.Start({1000, 1000});
    other = MakeRegion(8, {1, 2, 3});
    REQUIRE(table.Report(other, {}));
  }
  [[nodiscard]] std::vector<Proposal> Both() const {
    std::vector<Proposal> both{Add(), Add()};
    both[1].region = other.id;
    both[1].epoch = other.epoch;
    both[1].steps = {scheduler::AddLearner{{5}, {}, other.leader.store},
                     scheduler::PromoteLearner{{5}, {}}};
    return both;
  }
  [[nodiscard]] int64_t RoomOf(uint64_t store) {
    return limits.Room({store}, InstantOf(clock.Monotonic())).add_peer;
  }
  void CheckNothingDone() {
    CHECK(RoomOf(4) == 1000);
    CHECK(runner.running_count() == 0);
    CHECK(commands.heard.empty());
  }
  Region other;
};

TEST_CASE("two plans that belong together are both admitted", "[admission]") {
  PairFixture f;
  CHECK_FALSE(f.admission.AdmitTogether(f.Both()));
  CHECK(f.runner.running_count() == 2);
  CHECK(f.RoomOf(4) == 0);
  CHECK(f.RoomOf(5) == 0);
  CHECK(f.commands.heard.size() == 2);
}

TEST_CASE("of two plans that belong together neither is admitted without the other",
          "[admission]") {
  PairFixture f;
  std::vector<Proposal> both = f.Both();
  Reason reason = Reason::kStaleEpoch;
  SECTION("the second region is another by now") { both[1].epoch.conf_ver += 1; }
  SECTION("the second store has no room") {
    scheduler::Influence influence;
    influence.At({5}).cost[static_cast<size_t>(scheduler::LimitType::kAddPeer)] = 1000;
    f.limits.TakeAnyway(influence, scheduler::Priority::kHigh, InstantOf(f.clock.Monotonic()));
    reason = Reason::kStoreAddLimit;
  }
  SECTION("the second region changes while ids are drawn") {
    f.reserve = [&]() -> Result<IdAllocator::Window> {
      Region changed = f.other;
      changed.epoch.version += 1;
      REQUIRE(f.table.Report(changed, {}));
      return IdAllocator::Window{1000, 2000};
    };
  }
  const auto refusal = f.admission.AdmitTogether(both);
  REQUIRE(refusal);
  CHECK(refusal->reason == reason);
  CHECK(refusal->region == f.other.id);
  f.CheckNothingDone();
}

TEST_CASE("a store that sends enough refuses more, but not what is urgent", "[admission]") {
  Fixture f;
  f.LimitSnapshots();
  scheduler::Influence others;
  others.At({1}).cost[static_cast<size_t>(scheduler::LimitType::kSendSnapshot)] = 1000;
  f.limits.TakeAnyway(others, scheduler::Priority::kLow, InstantOf(f.clock.Monotonic()));
  f.limits.TakeAnyway(others, scheduler::Priority::kMedium, InstantOf(f.clock.Monotonic()));
  const auto refusal = f.admission.Admit(f.Add());
  REQUIRE(refusal);
  CHECK(RefusalText(*refusal) ==
        "store-send-limit store=1 region=7 value=0 bound=10 (2000 MiB under way)");
  CHECK(f.registry.Render().find("pd_schedule_operator_exceeded_store_limit{desc=\"add\"} 1") !=
        std::string::npos);
  Proposal urgent = f.Add();
  urgent.priority = scheduler::Priority::kUrgent;
  CHECK_FALSE(f.admission.Admit(urgent));
  CHECK(f.SentMib() == 2000 + static_cast<int64_t>(f.region.size_mib));
}

}  // namespace
}  // namespace pd

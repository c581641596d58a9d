#include "pd/dispatch/operator_runner.h"

#include <functional>
#include <utility>

#include <catch2/catch.hpp>

#include "tests/pd/dispatch/dispatch_fakes.h"
#include "tests/pd/dispatch/start_one.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::CancelReason;
using scheduler::Kind;
using scheduler::Priority;
using scheduler::Proposal;
using scheduler::Region;
using scheduler::Status;
using test::MakeRegion;

struct Fixture {
  Proposal Transfer(const Region& region, uint64_t to, Priority priority = Priority::kMedium) {
    Proposal proposal;
    proposal.desc = "transfer";
    proposal.region = region.id;
    proposal.epoch = region.epoch;
    proposal.size_mib = region.size_mib;
    proposal.kind = Kind::kLeader;
    proposal.priority = priority;
    proposal.steps.emplace_back(scheduler::TransferLeader{region.leader.store, {to}, {}});
    return proposal;
  }
  Proposal Add(const Region& region, uint64_t store) {
    Proposal proposal = Transfer(region, store);
    proposal.desc = "add";
    proposal.kind = Kind::kReplica | Kind::kRegion;
    proposal.steps = {scheduler::AddLearner{{store}, {900 + store}, region.leader.store},
                      scheduler::PromoteLearner{{store}, {900 + store}}};
    return proposal;
  }
  /// Starts it on a region that is known as it is here.
  std::optional<scheduler::Refusal> Start(Proposal proposal, const Region& region) {
    regions[region.id.value] = region;
    return Start(std::move(proposal));
  }
  std::optional<scheduler::Refusal> Start(Proposal proposal) {
    return test::StartOne(runner, std::move(proposal));
  }
  [[nodiscard]] std::optional<OperatorInfo> Find(uint64_t region) const {
    return runner.Find({region});
  }

  test::HandClock clock;
  test::HeardCommands commands;
  MetricsRegistry registry;
  OperatorMetrics metrics{registry};
  std::map<uint64_t, Region> regions;
  bool store_usable = true;
  std::function<void()> on_find = [] {};  // After the region was read.
  // Each looks into the runner: a call with its lock held would never come back.
  OperatorRunner runner{{clock, commands,
                         [this](scheduler::RegionId id) -> std::optional<Region> {
                           static_cast<void>(runner.CountOf(Kind::kLeader));
                           const auto it = regions.find(id.value);
                           std::optional<Region> region;
                           if (it != regions.end()) region = it->second;
                           on_find();
                           return region;
                         },
                         [this](scheduler::StoreId) {
                           static_cast<void>(runner.CountOf(Kind::kLeader));
                           return store_usable;
                         },
                         [this] {
                           static_cast<void>(runner.CountOf(Kind::kLeader));
                           return scheduler::ConfChange::kV2;
                         },
                         metrics}};
};

TEST_CASE("an operator runs from its start to its record", "[runner]") {
  Fixture f;
  Region region = MakeRegion(7, {1, 2, 3});
  REQUIRE_FALSE(f.Start(f.Add(region, 4), region));
  CHECK(f.runner.IsBusy({7}));
  CHECK(f.runner.CountOf(Kind::kReplica) == 1);
  CHECK(f.runner.TotalInfluence().Of({4}).region_count == 1);
  CHECK(f.commands.heard == std::vector<std::pair<uint64_t, std::string>>{{7, "add-learner"}});

  region.peers.push_back({{904}, {4}, scheduler::PeerRole::kLearner, false});
  region.epoch.conf_ver += 1;
  f.runner.OnHeartbeat(region);
  CHECK(f.commands.heard.back().second == "add-peer");
  CHECK(f.runner.TotalInfluence().Of({4}).region_count == 0);

  region.peers.back().role = scheduler::PeerRole::kVoter;
  region.epoch.conf_ver += 1;
  f.clock.monotonic += 3s;
  f.runner.OnHeartbeat(region);
  CHECK_FALSE(f.runner.IsBusy({7}));
  CHECK(f.runner.CountOf(Kind::kReplica) == 0);
  CHECK(f.runner.running_count() == 0);
  REQUIRE(f.Find(7));
  CHECK(f.Find(7)->op.status() == Status::kSuccess);
  CHECK(f.Find(7)->ended->monotonic - f.Find(7)->started->monotonic == 3s);
  CHECK(f.runner.Records(0).size() == 1);
  CHECK(f.runner.Records(9999999999).empty());
  CHECK(f.registry.Render().find("pd_schedule_operators_count{type=\"add\",event=\"finish\"} 1") !=
        std::string::npos);
}

TEST_CASE("a lost command is sent again in time", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  f.regions[7] = region;
  REQUIRE_FALSE(f.Start(f.Transfer(region, 2), region));
  f.clock.monotonic += 1s;
  f.runner.Tick();
  CHECK(f.commands.heard.size() == 1);
  f.clock.monotonic += 1s;
  f.runner.Tick();
  CHECK(f.commands.heard.size() == 2);
  f.clock.monotonic += 1s;
  f.runner.OnHeartbeat(region);
  CHECK(f.commands.heard.size() == 3);
  f.clock.monotonic += 1s;
  f.runner.Tick();
  CHECK(f.commands.heard.size() == 4);
}

TEST_CASE("operators of a region give way by priority", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  REQUIRE_FALSE(f.Start(f.Transfer(region, 2), region));
  const auto refusal = f.Start(f.Transfer(region, 3), region);
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kOperatorExists);
  REQUIRE_FALSE(f.Start(f.Transfer(region, 3, Priority::kUrgent), region));
  CHECK(f.runner.Records(0).front().op.status() == Status::kReplaced);
  CHECK(f.runner.Running().size() == 1);
  CHECK(f.runner.CountOf(Kind::kLeader) == 1);
}

TEST_CASE("operators end early for good reasons", "[runner]") {
  Fixture f;
  Region region = MakeRegion(7, {1, 2, 3});
  f.regions[7] = region;
  REQUIRE_FALSE(f.Start(f.Add(region, 4), region));
  SECTION("a foreign change of peers") {
    region.epoch.conf_ver += 1;
    f.runner.OnHeartbeat(region);
    CHECK(f.Find(7)->op.cancel_reason() == CancelReason::kEpochNotMatch);
  }
  SECTION("the target store is lost") {
    f.store_usable = false;
    f.runner.OnHeartbeat(region);
    CHECK(f.Find(7)->op.cancel_reason() == CancelReason::kStaleStatus);
  }
  SECTION("the region is gone") {
    f.regions.clear();
    f.clock.monotonic += 5s;
    f.runner.Tick();
    CHECK(f.Find(7)->op.cancel_reason() == CancelReason::kRegionNotFound);
  }
  SECTION("time runs out, without any heartbeat") {
    f.clock.monotonic += 661s;
    f.runner.Tick();
    CHECK(f.Find(7)->op.status() == Status::kTimeout);
  }
  SECTION("somebody cancels it") {
    CHECK(f.runner.Cancel({7}, CancelReason::kAdminStop));
    CHECK_FALSE(f.runner.Cancel({7}, CancelReason::kAdminStop));
    CHECK(f.Find(7)->op.status() == Status::kCanceled);
  }
  CHECK(f.runner.running_count() == 0);
  CHECK(f.runner.TotalInfluence().Of({4}).region_count == 0);
}

TEST_CASE("records go after ten minutes", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  REQUIRE_FALSE(f.Start(f.Transfer(region, 2), region));
  f.runner.CancelAll(CancelReason::kAdminStop);
  f.clock.monotonic += 9min;
  f.runner.Tick();
  CHECK(f.Find(7));
  f.clock.monotonic += 2min;
  f.runner.Tick();
  CHECK_FALSE(f.Find(7));
}

TEST_CASE("a leader that stops leaves nothing behind", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  REQUIRE_FALSE(f.Start(f.Add(region, 4), region));
  f.runner.Clear();
  CHECK(f.runner.Running().empty());
  CHECK(f.runner.Records(0).empty());
  CHECK(f.runner.TotalInfluence().stores().empty());
  // A plan made before arrives after.
  const auto refusal = f.Start(f.Add(region, 4), region);
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kNotLeader);
  f.runner.Open();
  CHECK_FALSE(f.Start(f.Add(region, 4), region));
  f.runner.Clear();
  CHECK(f.runner.CountOf(Kind::kReplica) == 0);
}

TEST_CASE("an operator starts on the epoch that was planned for or not at all", "[runner]") {
  Fixture f;
  Region region = MakeRegion(7, {1, 2, 3});
  Region changed = region;
  SECTION("split before the start") {
    changed.epoch.version += 1;
    f.regions[7] = changed;
  }
  SECTION("changed before the start") {
    changed.epoch.conf_ver += 1;
    f.regions[7] = changed;
  }
  SECTION("changed behind the look at the region") {
    changed.epoch.version += 1;
    f.regions[7] = region;
    f.on_find = [&] { f.runner.OnHeartbeat(changed); };
  }
  const auto refusal = f.Start(f.Add(region, 4));
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kStaleEpoch);
  CHECK(f.commands.heard.empty());
  CHECK_FALSE(f.runner.IsBusy({7}));
  CHECK(f.runner.TotalInfluence().stores().empty());
  // The place is free again.
  f.on_find = [] {};
  CHECK_FALSE(f.Start(f.Add(changed, 4), changed));
}

TEST_CASE("a region that is gone starts nothing", "[runner]") {
  Fixture f;
  const auto refusal = f.Start(f.Add(MakeRegion(7, {1, 2, 3}), 4));
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kRegionGone);
}

TEST_CASE("while one operator starts, only a more urgent one takes its place", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  std::optional<scheduler::Refusal> other;
  bool once = true;
  const auto start_other = [&](Priority priority) {
    f.on_find = [&, priority] {
      if (std::exchange(once, false)) other = f.Start(f.Transfer(region, 3, priority));
    };
  };
  SECTION("the same priority waits") {
    start_other(Priority::kMedium);
    REQUIRE_FALSE(f.Start(f.Transfer(region, 2), region));
    REQUIRE(other);
    CHECK(other->reason == scheduler::Reason::kOperatorExists);
    CHECK(f.Find(7)->op.plan().priority == Priority::kMedium);
  }
  SECTION("a higher one starts instead") {
    start_other(Priority::kUrgent);
    const auto refusal = f.Start(f.Transfer(region, 2), region);
    REQUIRE(refusal);
    CHECK(refusal->reason == scheduler::Reason::kOperatorExists);
    CHECK_FALSE(other);
    CHECK(f.Find(7)->op.plan().priority == Priority::kUrgent);
  }
  CHECK(f.runner.running_count() == 1);
  CHECK(f.runner.CountOf(Kind::kLeader) == 1);
}

TEST_CASE("a place is lost to the operator that took it even when that one has ended", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  std::function<void()> overtake;
  SECTION("it was cancelled") {
    overtake = [&] {
      REQUIRE_FALSE(f.Start(f.Transfer(region, 3, Priority::kUrgent)));
      REQUIRE(f.runner.Cancel({7}, CancelReason::kAdminStop));
    };
  }
  SECTION("it did not start at all") {
    overtake = [&] {
      Proposal stale = f.Transfer(region, 3, Priority::kUrgent);
      stale.epoch.version += 1;
      REQUIRE(f.Start(std::move(stale)));
    };
  }
  bool once = true;
  f.on_find = [&] {
    if (std::exchange(once, false)) overtake();
  };
  const auto refusal = f.Start(f.Transfer(region, 2), region);
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kOperatorExists);
  CHECK(refusal->bound == static_cast<double>(Priority::kUrgent));
  CHECK(f.runner.running_count() == 0);
  // The leader goes on as before.
  CHECK_FALSE(f.Start(f.Transfer(region, 2), region));
}

TEST_CASE("a plan of one leadership does not start in the next", "[runner]") {
  Fixture f;
  const Region region = MakeRegion(7, {1, 2, 3});
  f.on_find = [&] {
    f.runner.Clear();
    f.runner.Open();
  };
  const auto refusal = f.Start(f.Transfer(region, 2), region);
  REQUIRE(refusal);
  CHECK(refusal->reason == scheduler::Reason::kNotLeader);
  CHECK(f.runner.running_count() == 0);
}

TEST_CASE("each step is sent again at one pace, however many came before", "[runner]") {
  Fixture f;
  Region region = MakeRegion(7, {1, 2, 3});
  REQUIRE_FALSE(f.Start(f.Add(region, 4), region));
  region.peers.push_back({{904}, {4}, scheduler::PeerRole::kLearner, false});
  region.epoch.conf_ver += 1;
  f.regions[7] = region;
  f.clock.monotonic += 1s;
  f.runner.OnHeartbeat(region);
  CHECK(f.commands.heard.size() == 2);
  // Every two seconds from then on; the time of the first step, five seconds after the start, is void.
  for (int i = 0; i < 10; ++i) {
    f.clock.monotonic += 1s;
    f.runner.Tick();
  }
  CHECK(f.commands.heard.size() == 7);
}

}  // namespace
}  // namespace pd

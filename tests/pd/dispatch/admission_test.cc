#include "pd/dispatch/admission.h"

#include <functional>

#include <catch2/catch.hpp>

#include "pd/runtime/clock.h"
#include "tests/pd/dispatch/dispatch_fakes.h"

namespace pd {
namespace {

using scheduler::Proposal;
using scheduler::Reason;
using scheduler::Region;
using test::MakeRegion;

/// Admission over a region table of one region, stores limited to a region every four seconds.
struct Fixture {
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
  void Split() {
    Region split = region;
    split.epoch.version += 1;
    REQUIRE(table.Report(split, {}));
    runner.OnHeartbeat(split);
  }

  Region region;
  test::HandClock clock;
  test::HeardCommands commands;
  MetricsRegistry registry;
  OperatorMetrics metrics{registry};
  RegionTable table;
  ConfigStore config{Config{}, [](const OnlineConfig&) { return Result<void>(); }};
  StoreLimits limits{config};
  std::function<Result<IdAllocator::Window>()> reserve = [] {
    return Result<IdAllocator::Window>(IdAllocator::Window{1000, 2000});
  };
  IdAllocator ids{[this](uint64_t) { return reserve(); }};
  OperatorRunner runner{{clock, commands, [this](scheduler::RegionId id) { return table.Find(id); },
                         [](scheduler::StoreId) { return true; },
                         [] { return scheduler::ConfChange::kV2; }, metrics}};
  Admission admission{{table, limits, runner, ids, clock, metrics}};
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

}  // namespace
}  // namespace pd

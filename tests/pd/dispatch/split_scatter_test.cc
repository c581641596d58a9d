// The parts of splits for load: when they are planned, what becomes of what is refused, and what is counted.
#include "pd/dispatch/split_scatter.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "pd/dispatch/admission.h"
#include "tests/pd/dispatch/dispatching.h"
#include "tests/scheduler/world.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::Decision;
using scheduler::Reason;
using scheduler::Region;
using scheduler::RegionId;

/// Five stores, of which the first three have region 7, without the coordinator: time stands until it is moved, and a
/// turn is taken when the test says so.
struct Fixture : test::Dispatching {
  explicit Fixture(uint64_t stores = 5) {
    world.now = InstantOf(clock.Monotonic());
    for (uint64_t id = 1; id <= stores; ++id) world.AddStore(id);
    Put(MakePart(7, "7", "8", 2));
    REQUIRE(config.Update([](OnlineConfig& online) -> Result<void> {
      online.schedule.default_store_limit = {6000, 6000};
      return {};
    }));
    ids.Start({1000, 1'000'000});
  }

  static Region MakePart(uint64_t id, const std::string& start, const std::string& end,
                         uint64_t version) {
    Region region = test::MakeRegion(id, {1, 2, 3});
    region.start_key = start;
    region.end_key = end;
    region.epoch.version = version;
    return region;
  }
  void Put(const Region& region) {
    REQUIRE(table.Report(region, {}));
    world.PutRegion(region);
    world.Refresh();
  }
  static GrantedSplit Grant() {
    return {{7}, 2, {"7", "8"}, {{70}, {71}}, scheduler::SplitReason::kLoad};
  }
  void TellOfSplit() {
    Put(MakePart(70, "7", "74", 4));
    Put(MakePart(71, "74", "76", 4));
    Put(MakePart(7, "76", "8", 4));
  }
  void Take(const GrantedSplit& split, uint64_t limit = 4) {
    split_scatter.Granted(split, limit, InstantOf(clock.Monotonic()));
  }
  void Turn() { split_scatter.Turn(world.Context()); }
  void Pass(Nanos time) {
    clock.monotonic += time;
    world.now = InstantOf(clock.Monotonic());
    for (uint64_t id = 1; id <= world.stores().size(); ++id) {
      world.MutableStore(id)->last_heartbeat = world.now;
    }
  }
  std::string Running() const {
    std::string text;
    for (const OperatorInfo& info : runner.Running()) {
      text += info.op.plan().desc + " " + std::to_string(info.op.plan().region.value) + "; ";
    }
    return text;
  }

  scheduler::test::World world;
  std::map<Reason, uint32_t> refused;  // How often.
  SplitScatter split_scatter{{table, runner,
                              [this](Decision& decision) {
                                CHECK(decision.checker == std::string("split_scatter"));
                                for (const auto& refusal : decision.refusals) {
                                  refused[refusal.reason] += refusal.times;
                                }
                                bool any = decision.look_again_soon;
                                for (auto& proposal : decision.proposals) {
                                  const auto refusal = admission.Admit(std::move(proposal));
                                  if (refusal) ++refused[refusal->reason];
                                  any |= refusal.has_value();
                                }
                                return any;
                              },
                              registry}};
};

TEST_CASE("the parts of a split for load are scattered once it is heard of", "[split_scatter]") {
  Fixture f;
  f.Take(Fixture::Grant());
  CHECK(f.split_scatter.waiting() == 3);
  f.Turn();
  f.Pass(1s);
  CHECK(f.Running().empty());
  // The new regions alone do not show it: what is left of the old one has to be heard of.
  f.Put(Fixture::MakePart(70, "7", "74", 4));
  f.Put(Fixture::MakePart(71, "74", "76", 4));
  f.Turn();
  CHECK(f.Running().empty());
  f.Put(Fixture::MakePart(7, "76", "8", 4));
  f.Turn();
  CHECK(f.Running().empty());  // Nothing was ready: a second's pause.
  f.Pass(999ms);
  f.Turn();
  CHECK(f.Running().empty());
  f.Pass(1ms);
  f.Turn();
  // Region 7 goes to two empty stores. What is left then is too even for more than one move and a change of leader.
  CHECK(f.Running() == "split-scatter-region 7; split-scatter-region 70; ");
  CHECK(f.split_scatter.waiting() == 0);
  CHECK(f.runner.CountOf(scheduler::Kind::kSplitScatter) == 2);
  CHECK(f.runner.Find({7})->op.plan().group == "split-scatter-7-70");
  CHECK(f.runner.Find({7})->op.plan().brief == "mv peer: store [1 2] to [4 5]");
  CHECK(f.runner.Find({70})->op.plan().brief == "mv peer: store [3] to [4]");
}

TEST_CASE("a part is not scattered before it is known itself", "[split_scatter]") {
  Fixture f;
  f.Take(Fixture::Grant());
  f.Put(Fixture::MakePart(7, "76", "8", 4));
  f.Turn();
  CHECK(f.Running().empty());  // Alone in its range it is where it may be.
  CHECK(f.split_scatter.waiting() == 2);
  f.Put(Fixture::MakePart(70, "7", "74", 4));
  f.Pass(1s);
  f.Turn();
  CHECK(f.Running() == "split-scatter-region 70; ");
  CHECK(f.split_scatter.waiting() == 1);
}

TEST_CASE("the version that shows the split is behind what the store and the table know",
          "[split_scatter]") {
  Fixture f;
  GrantedSplit grant = Fixture::Grant();
  grant.version = 4;
  f.Take(grant);
  f.TellOfSplit();
  f.Turn();
  CHECK(f.split_scatter.waiting() == 3);
  f.Put(Fixture::MakePart(7, "76", "8", 5));
  f.Pass(1s);
  f.Turn();
  CHECK_FALSE(f.Running().empty());
}

TEST_CASE("other splits are none of its business", "[split_scatter]") {
  Fixture f;
  for (const auto reason : {scheduler::SplitReason::kAdmin, scheduler::SplitReason::kSize}) {
    GrantedSplit grant = Fixture::Grant();
    grant.reason = reason;
    f.Take(grant);
  }
  f.Take(Fixture::Grant(), /*limit=*/0);
  CHECK(f.split_scatter.waiting() == 0);
}

TEST_CASE("a limit of nothing empties the queue", "[split_scatter]") {
  Fixture f;
  f.Take(Fixture::Grant());
  f.TellOfSplit();
  f.world.options.split_scatter_schedule_limit = 0;
  f.Turn();
  CHECK(f.split_scatter.waiting() == 0);
  f.world.options.split_scatter_schedule_limit = 4;
  f.Pass(1s);
  f.Turn();
  CHECK(f.Running().empty());
}

TEST_CASE("no more run than may", "[split_scatter]") {
  Fixture f;
  f.world.options.split_scatter_schedule_limit = 1;
  f.Take(Fixture::Grant());
  f.TellOfSplit();
  f.Turn();
  CHECK(f.Running() == "split-scatter-region 7; ");
  CHECK(f.refused == std::map<Reason, uint32_t>{{Reason::kScheduleLimit, 1}});
  CHECK(f.split_scatter.waiting() == 2);
  REQUIRE(f.runner.Cancel({7}, scheduler::CancelReason::kAdminStop));
  f.Pass(999ms);
  f.Turn();
  CHECK(f.Running().empty());
  f.Pass(1ms);
  f.Turn();
  CHECK(f.Running() == "split-scatter-region 70; ");
  CHECK(f.refused.at(Reason::kScheduleLimit) == 2);
}

TEST_CASE("what admission refuses is asked again after a second", "[split_scatter]") {
  Fixture f;
  REQUIRE(f.config.Update([](OnlineConfig& online) -> Result<void> {
    online.schedule.default_store_limit = {30, 30};  // A region every two seconds.
    return {};
  }));
  scheduler::Influence spent;
  for (const uint64_t store : {1U, 2U, 3U}) {
    spent.At({store}).cost[static_cast<size_t>(scheduler::LimitType::kRemovePeer)] = 1000;
  }
  (void)f.limits.TakeAnyway(spent, scheduler::Priority::kHigh, f.world.now);
  f.Take(Fixture::Grant());
  f.TellOfSplit();
  f.Turn();
  CHECK(f.Running().empty());
  CHECK(f.refused == std::map<Reason, uint32_t>{{Reason::kStoreRemoveLimit, 3}});
  CHECK(f.split_scatter.waiting() == 3);
  f.Turn();
  CHECK(f.refused.at(Reason::kStoreRemoveLimit) == 3);
  f.Pass(1s);
  f.Turn();
  CHECK(f.refused.at(Reason::kStoreRemoveLimit) == 6);
  f.Pass(1s);
  f.Turn();
  CHECK(f.Running() == "split-scatter-region 7; split-scatter-region 70; ");
  CHECK(f.split_scatter.waiting() == 0);  // The last one is where it belongs.
}

TEST_CASE("a region on which something as urgent runs is asked for again", "[split_scatter]") {
  Fixture f;
  f.Take(Fixture::Grant());
  f.TellOfSplit();
  scheduler::Proposal other;
  other.region = {7};
  other.epoch = f.table.Find({7})->epoch;
  other.priority = scheduler::Priority::kUrgent;
  other.steps = {scheduler::TransferLeader{{1}, {2}, {}}};
  REQUIRE_FALSE(f.admission.Admit(other));
  f.Turn();
  CHECK(f.refused == std::map<Reason, uint32_t>{{Reason::kOperatorExists, 1}});
  CHECK(f.split_scatter.waiting() == 1);
  REQUIRE(f.runner.Cancel({7}, scheduler::CancelReason::kAdminStop));
  f.Pass(1s);
  f.Turn();
  CHECK(f.split_scatter.waiting() == 0);
}

void DenyAll(scheduler::test::World& world) {
  scheduler::LabelRule rule;
  rule.id = "keep";
  rule.labels = {{"schedule", "deny", "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"", ""}, "", ""}};
  world.labels = scheduler::RegionLabelBook({{rule.id, rule}});
}

TEST_CASE("what may not be scattered now waits for better times", "[split_scatter]") {
  Fixture f;
  f.Take(Fixture::Grant());
  f.TellOfSplit();
  DenyAll(f.world);
  f.Turn();
  CHECK(f.Running().empty());
  CHECK(f.refused == std::map<Reason, uint32_t>{{Reason::kRegionScheduleDenied, 3}});
  CHECK(f.split_scatter.waiting() == 3);
  f.world.labels = {};
  f.Turn();
  CHECK(f.Running().empty());
  f.Pass(1s);
  f.Turn();
  CHECK_FALSE(f.Running().empty());
}

TEST_CASE("what belongs where it is is done", "[split_scatter]") {
  Fixture f(/*stores=*/3);
  GrantedSplit grant = Fixture::Grant();
  grant.regions = {{70}};
  f.Take(grant);
  f.Put(Fixture::MakePart(70, "7", "74", 3));
  Region rest = Fixture::MakePart(7, "74", "8", 3);
  rest.leader = rest.peers[1];
  f.Put(rest);
  f.Turn();
  CHECK(f.Running().empty());
  CHECK(f.refused.empty());
  CHECK(f.split_scatter.waiting() == 0);
}

TEST_CASE("a turn looks at so many and no more", "[split_scatter]") {
  Fixture f;
  GrantedSplit grant = Fixture::Grant();
  grant.regions.clear();
  const auto key = [](uint64_t number) { return "7" + std::to_string(1000 + number); };
  constexpr uint64_t kParts = SplitScatter::kLookedAtMax + 10;
  for (uint64_t number = 0; number < kParts; ++number) grant.regions.push_back({100 + number});
  f.Take(grant);
  for (uint64_t number = 0; number < kParts; ++number) {
    f.Put(Fixture::MakePart(100 + number, key(number), key(number + 1), 4));
  }
  f.Put(Fixture::MakePart(7, key(kParts), "8", 4));
  DenyAll(f.world);
  f.Turn();
  CHECK(f.refused.at(Reason::kRegionScheduleDenied) == SplitScatter::kLookedAtMax);
  f.Turn();
  CHECK(f.refused.at(Reason::kRegionScheduleDenied) == kParts + 1);
}

TEST_CASE("what is dropped or never done is counted", "[split_scatter]") {
  Fixture f;
  GrantedSplit grant = Fixture::Grant();
  f.Take(grant);
  f.TellOfSplit();
  DenyAll(f.world);
  f.Turn();
  grant.source = {200};
  grant.regions = {{201}};
  f.Take(grant);
  grant.regions.clear();
  for (uint64_t id = 300; id < 300 + SplitScatterQueue::kRegionsMax; ++id) {
    grant.regions.push_back({id});
  }
  f.Take(grant);
  CHECK(f.split_scatter.waiting() == 5);
  // Those whose time is over make room.
  f.Pass(SplitScatterQueue::kAge);
  grant.regions.pop_back();
  f.Take(grant);
  CHECK(f.split_scatter.waiting() == SplitScatterQueue::kRegionsMax);
  const std::string page = f.registry.Render();
  const auto says = [&](const std::string& line) {
    return page.find("pd_checker_split_scatter_pending_" + line + "\n") != std::string::npos;
  };
  CHECK(says("dropped_total 4097"));
  CHECK(says("expired_total{attempted=\"true\"} 3"));
  CHECK(says("expired_total{attempted=\"false\"} 2"));
}

}  // namespace
}  // namespace pd

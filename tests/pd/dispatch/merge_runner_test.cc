// Merges in the operator runner: two operators that start, and end, together.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "pd/dispatch/operator_runner.h"
#include "scheduler/operator/merge.h"
#include "tests/pd/dispatch/dispatch_fakes.h"
#include "tests/pd/dispatch/start_one.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using scheduler::CancelReason;
using scheduler::Kind;
using scheduler::Priority;
using scheduler::Proposal;
using scheduler::Reason;
using scheduler::Region;
using scheduler::Status;
using test::MakeRegion;

constexpr uint64_t kSource = 7;
constexpr uint64_t kTarget = 8;

struct Merging {
  Merging() {
    for (const uint64_t id : {kSource, kTarget}) regions[id] = MakeRegion(id, {1, 2, 3});
  }

  [[nodiscard]] Proposal Merge() const {
    Proposal proposal;
    proposal.desc = "merge-region";
    proposal.region = {kSource};
    proposal.epoch = regions.at(kSource).epoch;
    proposal.range = {regions.at(kSource).start_key, regions.at(kSource).end_key};
    proposal.size_mib = 10;
    proposal.kind = Kind::kMerge;
    proposal.steps.emplace_back(
        scheduler::MergeRegion{regions.at(kSource), regions.at(kTarget), false});
    return proposal;
  }
  [[nodiscard]] Proposal Transfer(uint64_t region, Priority priority) const {
    Proposal proposal;
    proposal.desc = "transfer";
    proposal.region = {region};
    proposal.epoch = regions.at(region).epoch;
    proposal.kind = Kind::kLeader;
    proposal.priority = priority;
    proposal.steps.emplace_back(scheduler::TransferLeader{{1}, {2}, {}});
    return proposal;
  }
  void StartMerge() { REQUIRE_FALSE(test::StartOne(runner, Merge()).has_value()); }
  /// "merge-region success": the last operator of the region, and how it ended.
  [[nodiscard]] std::string Last(uint64_t region) const {
    const auto info = runner.Find({region});
    if (!info) return "none";
    const std::string reason = scheduler::CancelReasonText(info->op.cancel_reason());
    return info->op.plan().desc + " " + scheduler::StatusText(info->op.status()) +
           (reason.empty() ? "" : ": " + reason);
  }

  test::HandClock clock;
  test::HeardCommands commands;
  MetricsRegistry registry;
  OperatorMetrics metrics{registry};
  std::map<uint64_t, Region> regions;
  OperatorRunner runner{{clock, commands,
                         [this](scheduler::RegionId id) -> std::optional<Region> {
                           const auto it = regions.find(id.value);
                           if (it == regions.end()) return {};
                           return it->second;
                         },
                         [](scheduler::StoreId) { return true; },
                         [] { return scheduler::ConfChange::kV2; }, metrics}};
};

TEST_CASE("a merge runs on both regions until the target shows the joint range", "[runner]") {
  Merging f;
  f.StartMerge();
  CHECK(f.runner.running_count() == 2);
  CHECK(f.runner.CountOf(Kind::kMerge) == 2);
  CHECK(f.runner.TotalInfluence().Of({1}).region_count == -1);
  CHECK(f.commands.heard == std::vector<std::pair<uint64_t, std::string>>{{kSource, "merge"}});

  f.runner.OnHeartbeat(f.regions.at(kTarget));
  f.runner.OnHeartbeat(f.regions.at(kSource));
  CHECK(f.runner.running_count() == 2);
  CHECK(f.commands.heard.size() == 2);  // The source is told again, the target nothing.

  Region joint = f.regions.at(kTarget);
  joint.start_key = f.regions.at(kSource).start_key;
  joint.epoch.version = 3;
  f.regions.erase(kSource);
  f.runner.OnHeartbeat(joint);
  CHECK(f.runner.running_count() == 0);
  CHECK(f.runner.CountOf(Kind::kMerge) == 0);
  CHECK(f.Last(kSource) == "merge-region success");
  CHECK(f.Last(kTarget) == "merge-region success");
}

TEST_CASE("a source that is gone before the target's report is heard has merged", "[runner]") {
  Merging f;
  f.StartMerge();
  f.regions.at(kTarget).start_key = f.regions.at(kSource).start_key;
  f.regions.at(kTarget).epoch.version = 3;
  f.regions.erase(kSource);
  f.clock.monotonic += 5s;
  f.runner.Tick();
  CHECK(f.Last(kSource) == "merge-region success");
  CHECK(f.Last(kTarget) == "merge-region success");
}

TEST_CASE("a merge that cannot start on both regions starts on none", "[runner]") {
  Merging f;
  SECTION("the target is busy") {
    REQUIRE_FALSE(test::StartOne(f.runner, f.Transfer(kTarget, Priority::kMedium)).has_value());
    CHECK(f.runner.RefuseConflict(f.Merge())->reason == Reason::kOperatorExists);
    CHECK(test::StartOne(f.runner, f.Merge())->reason == Reason::kOperatorExists);
    CHECK(f.runner.running_count() == 1);
  }
  SECTION("the target has changed") {
    const Proposal merge = f.Merge();
    ++f.regions.at(kTarget).epoch.version;
    CHECK(test::StartOne(f.runner, merge)->reason == Reason::kStaleEpoch);
    CHECK(f.runner.running_count() == 0);
  }
  SECTION("the target is gone") {
    const Proposal merge = f.Merge();
    f.regions.erase(kTarget);
    CHECK(test::StartOne(f.runner, merge)->reason == Reason::kRegionGone);
    CHECK(f.runner.running_count() == 0);
  }
  // Nothing keeps a place.
  CHECK_FALSE(test::StartOne(f.runner, f.Transfer(kSource, Priority::kMedium)).has_value());
}

TEST_CASE("the end of one side of a merge ends the other", "[runner]") {
  Merging f;
  f.StartMerge();
  SECTION("canceled on the source") {
    CHECK(f.runner.Cancel({kSource}, CancelReason::kAdminStop));
    CHECK(f.Last(kSource) == "merge-region canceled: admin stop");
    CHECK(f.Last(kTarget) == "merge-region canceled: related merge region");
  }
  SECTION("canceled on the target") {
    CHECK(f.runner.Cancel({kTarget}, CancelReason::kAdminStop));
    CHECK(f.Last(kSource) == "merge-region canceled: related merge region");
  }
  SECTION("replaced on the target") {
    REQUIRE_FALSE(test::StartOne(f.runner, f.Transfer(kTarget, Priority::kUrgent)).has_value());
    CHECK(f.runner.running_count() == 1);
    CHECK(f.Last(kSource) == "merge-region canceled: related merge region");
    CHECK(f.Last(kTarget) == "transfer started");
    REQUIRE(f.runner.Cancel({kTarget}, CancelReason::kAdminStop));
  }
  SECTION("the target splits") {
    Region split = f.regions.at(kTarget);
    split.end_key += "5";
    ++split.epoch.version;
    f.runner.OnHeartbeat(split);
    CHECK(f.Last(kTarget) == "merge-region canceled: epoch not match");
    CHECK(f.Last(kSource) == "merge-region canceled: related merge region");
  }
  SECTION("the source was seen to split, but not by a report") {
    f.regions.at(kSource).end_key = f.regions.at(kSource).start_key + "5";
    ++f.regions.at(kSource).epoch.version;
    f.clock.monotonic += 5s;
    f.runner.Tick();
    CHECK(f.Last(kSource) == "merge-region canceled: epoch not match");
    CHECK(f.Last(kTarget) == "merge-region canceled: related merge region");
  }
  SECTION("the source is lost") {
    f.regions.erase(kSource);
    f.clock.monotonic += 5s;
    f.runner.Tick();
    CHECK(f.Last(kSource) == "merge-region canceled: region not found");
    CHECK(f.Last(kTarget) == "merge-region canceled: related merge region");
  }
  SECTION("too late") {
    f.clock.monotonic += 601s;
    f.runner.OnHeartbeat(f.regions.at(kSource));
    CHECK(f.Last(kSource) == "merge-region timeout: timeout");
    CHECK(f.Last(kTarget) == "merge-region canceled: related merge region");
  }
  CHECK(f.runner.running_count() == 0);
  CHECK(f.runner.CountOf(Kind::kMerge) == 0);
  CHECK(f.runner.TotalInfluence().Of({1}).region_count == 0);
}

}  // namespace
}  // namespace pd

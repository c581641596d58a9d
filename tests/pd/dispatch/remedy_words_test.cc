#include "pd/dispatch/remedy_words.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::ConstraintOp;
using scheduler::Reason;
using scheduler::Refusal;
using scheduler::Rule;

TEST_CASE("a remedy names the store that it is about") {
  const auto of_store = [](Reason reason) {
    return RemedyWords(Refusal{reason, {4}, {7}, 0, 0, {}});
  };
  for (size_t i = 0; i < scheduler::kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    INFO(scheduler::ReasonText(reason));
    const std::string words = of_store(reason);
    CHECK(words.find('{') == std::string::npos);
    CHECK(RemedyWords(Refusal{reason, {}, {7}, 0, 0, {}}).find('{') == std::string::npos);
  }
  CHECK(of_store(Reason::kStoreLowSpace) == "free space on store 4, or raise low-space-ratio");
  CHECK(of_store(Reason::kStoreDown) == "bring store 4 back");
  // Reasons of no store that name one all the same.
  CHECK_FALSE(of_store(Reason::kNotEnoughRegions).empty());
  CHECK(RemedyWords({Reason::kSwitchedOff, {4}, {7}, 0, 0, "enable-x"}) == "turn enable-x on");
  CHECK(RemedyWords({Reason::kPaused, {}, {}, 0, 0, "the replica checker"}) ==
        "resume the replica checker");
  // Nothing is wrong with these.
  CHECK(of_store(Reason::kStoreHoldsPeer).empty());
  CHECK(of_store(Reason::kStoreWorseLocation).empty());
  CHECK(of_store(Reason::kStoreTombstone).empty());
}

TEST_CASE("whatever holds a whole region or all of them has a remedy") {
  for (const Reason reason :
       {Reason::kRegionNoLeader, Reason::kRegionCrossesRules, Reason::kNoRules,
        Reason::kRegionQuorum, Reason::kRegionTooFewCopies, Reason::kBuildFailed, Reason::kPaused,
        Reason::kHalted, Reason::kScheduleLimit, Reason::kNotEnoughRegions}) {
    INFO(scheduler::ReasonText(reason));
    CHECK_FALSE(RemedyWords(Refusal{reason, {}, {7}, 0, 0, {}}).empty());
  }
}

TEST_CASE("a scheduler's remedy names the scheduler and its own limit") {
  const auto of = [](const char* type, const Refusal& refusal) {
    return SchedulerRemedyWords(refusal, *scheduler::FindSchedulerType(type));
  };
  const Refusal limit{Reason::kScheduleLimit, {}, {}, 4, 4, {}};
  CHECK(of("balance-leader", limit) == "wait, or raise leader-schedule-limit");
  CHECK(of("balance-region", limit) == "wait, or raise region-schedule-limit");
  CHECK(of("hot-region", limit) == "wait, or raise hot-region-schedule-limit");
  CHECK(of("balance-leader", {Reason::kPaused, {}, {}, 0, 0, {}}) ==
        "resume balance-leader-scheduler, or wait");
  CHECK(of("balance-region", {Reason::kStoreRemoveLimit, {4}, {}, 0, 1000, {}}) ==
        "wait, or raise the remove-peer limit of store 4");
  CHECK(of("balance-region", {Reason::kStoreAddLimit, {4}, {}, 0, 1000, {}}) ==
        "wait, or raise the add-peer limit of store 4");
  CHECK(of("balance-region", {Reason::kStoreRemoving, {4}, {}, 0, 0, {}}).empty());
  CHECK(of("balance-region", {Reason::kAlreadyBalanced, {4}, {}, 1, 1, {}}).empty());
}

TEST_CASE("the cause names the rule that finds no store") {
  CHECK(CauseWords({Reason::kNoTarget, {}, {7}, 3, 3, "g/r"}) ==
        "no store may take the peer for rule g/r");
  CHECK(CauseWords({Reason::kTargetsBusy, {}, {7}, 3, 3, "g/r"}) ==
        "no store can take the peer for rule g/r at the moment");
  CHECK(CauseWords({Reason::kRegionNoLeader, {}, {7}, 0, 0, {}}) == "region 7 has no leader");
}

TEST_CASE("a rule without a store asks for one, or for less") {
  Rule rule = scheduler::DefaultRule(3, {}, "");
  using Words = std::vector<std::string>;
  CHECK(RuleRemedies(rule) ==
        Words{"add a store", "lower the count of rule pd/default, which is 3"});
  rule.location_labels = {"zone", "host"};
  rule.isolation_level = "zone";
  rule.constraints = {{"disk", ConstraintOp::kIn, {"ssd", "nvme"}},
                      {"engine", ConstraintOp::kNotIn, {"tiflash"}},
                      {"dc", ConstraintOp::kExists, {}},
                      {"old", ConstraintOp::kNotExists, {}}};
  rule.count = 1;
  CHECK(RuleRemedies(rule) ==
        Words{"add a store with label disk=ssd or nvme and without label engine=tiflash and with "
              "label dc and without label old, in another zone than the other peers"});
}

}  // namespace
}  // namespace pd

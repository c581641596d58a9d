#include "pd/dispatch/remedy_words.h"

#include <fmt/args.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pd/dispatch/refusal_words.h"

namespace pd {
namespace {

using scheduler::ConstraintOp;
using scheduler::LabelConstraint;
using scheduler::Reason;
using scheduler::Rule;

const char* StoreRemedy(Reason reason) {
  switch (reason) {
    case Reason::kStoreRemoving:
      return "keep store {store} after all: cancel its removal";
    case Reason::kStoreDown:
    case Reason::kStoreNotConnected:
      return "bring store {store} back";
    case Reason::kStoreBusy:
      return "wait until store {store} is less busy";
    case Reason::kStoreAddLimit:
      return "wait, or raise the add-peer limit of store {store}";
    case Reason::kStoreSendLimit:
      return "wait until store {store} has sent more of its snapshots";
    case Reason::kStoreSnapshots:
      return "wait for the snapshots of store {store}, or raise max-snapshot-count";
    case Reason::kStorePendingPeers:
      return "wait for the pending peers of store {store}, or raise max-pending-peer-count";
    case Reason::kStoreLowSpace:
      return "free space on store {store}, or raise low-space-ratio";
    case Reason::kStoreSpecialUse:
      return "take the label specialUse off store {store}";
    case Reason::kStoreLabels:
      return "give store {store} the labels that the rule wants, or the rule others";
    case Reason::kStoreIsolation:
      return "move store {store} elsewhere, or have the rule ask for less isolation";
    default:
      return "";
  }
}

const char* OtherRemedy(Reason reason) {
  switch (reason) {
    case Reason::kRegionNoLeader:
      return "bring back the stores of its other peers; where they are lost for good, recover the "
             "region by force";
    case Reason::kRegionDownPeers:
      return "bring back the stores of its peers that are down";
    case Reason::kRegionQuorum:
    case Reason::kRegionTooFewCopies:
    case Reason::kBuildFailed:
      return "bring back the stores of its other peers";
    case Reason::kRegionCrossesRules:
      return "have the region split: turn enable-tikv-split-region on, and do not pause the split "
             "checker";
    case Reason::kNoRules:
      return "correct the placement rules that the log names";
    case Reason::kPaused:
      return "resume {detail}";
    case Reason::kSwitchedOff:
      return "turn {detail} on";
    case Reason::kHalted:
      return "turn halt-scheduling off";
    case Reason::kScheduleLimit:
      return "wait, or raise replica-schedule-limit";
    case Reason::kNotEnoughRegions:
      return "wait until enough regions have reported to this leader";
    case Reason::kStoresUnheard:
      return "wait until the stores have been heard by this leader";
    default:
      return "";
  }
}

/// The setting that bounds the operators of a kind: each is called after the kind that counts against it.
std::string LimitSetting(scheduler::Kind kind) {
  const bool of_range = kind == scheduler::Kind::kRange;
  return scheduler::KindText(of_range ? scheduler::Kind::kRegion : kind) + "-schedule-limit";
}

std::string ConstraintWords(const LabelConstraint& constraint) {
  const std::string values = fmt::format("{}", fmt::join(constraint.values, " or "));
  switch (constraint.op) {
    case ConstraintOp::kIn:
      return fmt::format("with label {}={}", constraint.key, values);
    case ConstraintOp::kNotIn:
      return fmt::format("without label {}={}", constraint.key, values);
    case ConstraintOp::kExists:
      return fmt::format("with label {}", constraint.key);
    case ConstraintOp::kNotExists:
      return fmt::format("without label {}", constraint.key);
  }
  return {};
}

}  // namespace

std::string RemedyWords(const scheduler::Refusal& refusal) {
  std::string_view phrase = refusal.store ? StoreRemedy(refusal.reason) : "";
  if (phrase.empty()) phrase = OtherRemedy(refusal.reason);
  return fmt::format(fmt::runtime(phrase), fmt::arg("store", refusal.store.value),
                     fmt::arg("detail", refusal.detail));
}

std::string SchedulerRemedyWords(const scheduler::Refusal& refusal,
                                 const scheduler::SchedulerType& type) {
  switch (refusal.reason) {
    case Reason::kPaused:
      return fmt::format("resume {}, or wait", type.name);
    case Reason::kScheduleLimit:
      return fmt::format("wait, or raise {}", LimitSetting(type.limit_kind));
    case Reason::kStoreRemoveLimit:
      return fmt::format("wait, or raise the remove-peer limit of store {}", refusal.store.value);
    case Reason::kStoreRemoving:
    case Reason::kBuildFailed:
      return "";
    default:
      return RemedyWords(refusal);
  }
}

std::string CauseWords(const scheduler::Refusal& cause) {
  if (cause.reason == Reason::kNoTarget) {
    return fmt::format("no store may take the peer for rule {}", cause.detail);
  }
  if (cause.reason == Reason::kTargetsBusy) {
    return fmt::format("no store can take the peer for rule {} at the moment", cause.detail);
  }
  return RefusalWords(cause);
}

std::vector<std::string> RuleRemedies(const Rule& rule) {
  std::vector<std::string> constraints;
  constraints.reserve(rule.constraints.size());
  for (const LabelConstraint& constraint : rule.constraints) {
    constraints.push_back(ConstraintWords(constraint));
  }
  std::string add = "add a store";
  if (!constraints.empty()) add += fmt::format(" {}", fmt::join(constraints, " and "));
  if (!rule.isolation_level.empty()) {
    add += fmt::format(", in another {} than the other peers", rule.isolation_level);
  }
  std::vector<std::string> remedies = {std::move(add)};
  if (rule.count > 1) {
    remedies.push_back(fmt::format("lower the count of rule {}/{}, which is {}", rule.group_id,
                                   rule.id, rule.count));
  }
  return remedies;
}

}  // namespace pd

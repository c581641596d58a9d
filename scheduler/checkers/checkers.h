#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "scheduler/checkers/affinity_checker.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// The checkers that can be paused, by the names of GET /checker/{name}.
enum class CheckerKind : uint8_t {
  kLearner,
  kReplica,
  kRule,
  kSplit,
  kMerge,
  kJointState,
  kAffinity
};
inline constexpr size_t kCheckerKindCount = 7;

std::optional<CheckerKind> CheckerByName(std::string_view name);

/// What the chain must know beside the region.
struct CheckInput {
  std::array<bool, kCheckerKindCount> paused{};  // By CheckerKind.
  uint64_t replica_operators = 0;                // Running operators of kind replica ...
  uint64_t witness_operators = 0;                // ... of kind witness ...
  uint64_t affinity_operators = 0;               // ... of kind affinity, two a merge of a group ...
  uint64_t merge_operators = 0;                  // ... and of kind merge, two a merge.
  bool limited = true;                           // By the schedule limits, in what it repairs.
  std::optional<Instant> data_returned;          // When a witness of it last got its data back.
};

/// What the checkers that repair make of the region, whatever is paused or at its limit: those for joint states and
/// bounds of rules, then the rule checker, or with placement rules off the learner and the replica checker.
Decision RepairRegion(const PlanContext& context, const Region& region);

/// What the chain came to; at most one of the decisions proposes anything.
struct CheckResult {
  Decision repair;  // Joint states, bounds of rules, peers and their roles.
  Decision affinity;
  Decision merge;
  std::optional<AffinityFinding> finding;  // For whoever keeps the groups.
};

/// Runs the chain on one region; the first checker with a proposal wins (as in the reference). A region labelled
/// `schedule=deny` is repaired, nothing more.
CheckResult CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input);

}  // namespace scheduler

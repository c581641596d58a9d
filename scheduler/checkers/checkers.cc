#include "scheduler/checkers/checkers.h"

#include <utility>

#include "scheduler/checkers/joint_state_checker.h"
#include "scheduler/checkers/merge_checker.h"
#include "scheduler/checkers/rule_checker.h"
#include "scheduler/checkers/split_checker.h"

namespace scheduler {
namespace {

constexpr std::array<const char*, kCheckerKindCount> kNames = {
    "learner", "replica", "rule", "split", "merge", "joint-state", "affinity"};

Decision Named(const char* checker, Decision decision) {
  decision.checker = checker;
  return decision;
}

Decision RefuseAll(const Region& region, Reason reason, uint64_t value = 0, uint64_t bound = 0) {
  Decision decision;
  decision.Refuse(
      {reason, StoreId{}, region.id, static_cast<double>(value), static_cast<double>(bound), {}});
  return decision;
}

bool IsPaused(const CheckInput& input, CheckerKind kind) {
  return input.paused[static_cast<size_t>(kind)];
}

Decision CheckJoint(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (IsPaused(input, CheckerKind::kJointState)) return RefuseAll(region, Reason::kPaused);
  return CheckJointState(context, region);
}

/// What is to be repaired, as far as the limits allow.
Decision CheckRepairs(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (IsPaused(input, CheckerKind::kRule)) return RefuseAll(region, Reason::kPaused);
  Decision decision = CheckRules(context, region);
  if (decision.proposals.empty()) return decision;
  const bool witness = decision.proposals.front().kind == Kind::kWitness;
  const uint64_t running = witness ? input.witness_operators : input.replica_operators;
  const uint64_t limit =
      witness ? context.options.witness_schedule_limit : context.options.replica_schedule_limit;
  if (running < limit) return decision;
  // Looked at first, so that a region which needs nothing is not put back into the queue.
  decision = RefuseAll(region, Reason::kScheduleLimit, running, limit);
  decision.look_again_soon = true;
  return decision;
}

Decision CheckSmall(const PlanContext& context, const Region& region, const CheckInput& input) {
  const ScheduleOptions& options = context.options;
  if (!IsSmall(region, options.max_merge_region_size_mib, options.max_merge_region_keys)) return {};
  if (IsPaused(input, CheckerKind::kMerge)) return RefuseAll(region, Reason::kPaused);
  const uint64_t limit = options.merge_schedule_limit;
  if (input.merge_operators >= limit) {
    return RefuseAll(region, Reason::kScheduleLimit, input.merge_operators, limit);
  }
  return CheckMerge(context, region);
}

}  // namespace

std::optional<CheckerKind> CheckerByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<CheckerKind>(i);
  }
  return {};
}

Decision CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (region.InJointState()) {
    return Named("joint_state_checker", CheckJoint(context, region, input));
  }
  // Without ids a store could not split, and the try would keep others from repairing the region.
  if (context.options.enable_tikv_split_region && !IsPaused(input, CheckerKind::kSplit)) {
    Decision split = CheckSplit(context, region);
    if (!split.proposals.empty()) return Named("split_checker", std::move(split));
  }
  Decision repairs = CheckRepairs(context, region, input);
  const bool paused = IsPaused(input, CheckerKind::kRule);
  const bool well = repairs.proposals.empty() && (paused || repairs.refusals.empty());
  if (!well || context.IsScheduleDenied(region)) return Named("rule_checker", std::move(repairs));
  Decision merge = CheckSmall(context, region, input);
  if (paused && merge.proposals.empty()) return Named("rule_checker", std::move(repairs));
  return Named("merge_checker", std::move(merge));
}

}  // namespace scheduler

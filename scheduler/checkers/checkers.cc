#include "scheduler/checkers/checkers.h"

#include <algorithm>
#include <utility>

#include "scheduler/checkers/affinity_checker.h"
#include "scheduler/checkers/joint_state_checker.h"
#include "scheduler/checkers/learner_checker.h"
#include "scheduler/checkers/merge_checker.h"
#include "scheduler/checkers/replica_checker.h"
#include "scheduler/checkers/rule_checker.h"
#include "scheduler/checkers/split_checker.h"

namespace scheduler {
namespace {

constexpr std::array<const char*, kCheckerKindCount> kNames = {
    "learner", "replica", "rule", "split", "merge", "joint-state", "affinity"};

bool IsPaused(const CheckInput& input, CheckerKind kind) {
  return input.paused[static_cast<size_t>(kind)];
}

Decision Named(const char* checker, Decision decision) {
  decision.checker = checker;
  return decision;
}

Decision Refused(const Region& region, Reason reason, uint64_t value = 0, uint64_t bound = 0) {
  Decision decision;
  decision.Refuse(
      {reason, StoreId{}, region.id, static_cast<double>(value), static_cast<double>(bound), {}});
  return decision;
}

/// Looked at first, so that a region which needs nothing is not put back into the queue.
Decision UnderLimit(const PlanContext& context, const Region& region, const CheckInput& input,
                    Decision decision) {
  if (decision.proposals.empty() || !input.limited) return decision;
  const bool witness = decision.proposals.front().kind == Kind::kWitness;
  const uint64_t running = witness ? input.witness_operators : input.replica_operators;
  const uint64_t limit =
      witness ? context.options.witness_schedule_limit : context.options.replica_schedule_limit;
  if (running < limit) return decision;
  Decision later = Refused(region, Reason::kScheduleLimit, running, limit);
  later.look_again_soon = true;
  later.missing_peers = decision.missing_peers;
  return later;
}

Decision CheckJoint(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (IsPaused(input, CheckerKind::kJointState)) return Refused(region, Reason::kPaused);
  return CheckJointState(context, region);
}

Decision CheckWithRules(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (IsPaused(input, CheckerKind::kRule)) {
    return Named("rule_checker", Refused(region, Reason::kPaused));
  }
  return Named("rule_checker", UnderLimit(context, region, input,
                                          CheckRules(context, region, input.data_returned)));
}

/// Without placement rules. Promotions count against no limit.
Decision CheckWithoutRules(const PlanContext& context, const Region& region,
                           const CheckInput& input) {
  Decision learners;
  if (!IsPaused(input, CheckerKind::kLearner)) learners = CheckLearners(context, region);
  if (!learners.proposals.empty()) return Named("learner_checker", std::move(learners));
  Decision decision = IsPaused(input, CheckerKind::kReplica)
                          ? Refused(region, Reason::kPaused)
                          : UnderLimit(context, region, input, CheckReplicas(context, region));
  for (Refusal& refusal : learners.refusals) decision.Refuse(std::move(refusal));
  return Named("replica_checker", std::move(decision));
}

Decision Repair(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (region.InJointState()) {
    return Named("joint_state_checker", CheckJoint(context, region, input));
  }
  // Without ids a store could not split, and the try would keep others from repairing the region.
  if (context.options.enable_tikv_split_region && !IsPaused(input, CheckerKind::kSplit)) {
    Decision split = Named("split_checker", CheckSplit(context, region));
    if (!split.proposals.empty()) return split;
  }
  return context.options.enable_placement_rules ? CheckWithRules(context, region, input)
                                                : CheckWithoutRules(context, region, input);
}

AffinityCheck CheckGroup(const PlanContext& context, const Region& region,
                         const CheckInput& input) {
  const uint64_t limit = context.options.affinity_schedule_limit;
  if (limit == 0 || context.AffinityOf(region) == nullptr) return {};
  if (context.IsScheduleDenied(region)) {
    return {Refused(region, Reason::kRegionScheduleDenied), {}};
  }
  if (IsPaused(input, CheckerKind::kAffinity)) return {Refused(region, Reason::kPaused), {}};
  if (input.affinity_operators >= limit) {
    return {Refused(region, Reason::kScheduleLimit, input.affinity_operators, limit), {}};
  }
  return CheckAffinity(context, region);
}

Decision CheckSmall(const PlanContext& context, const Region& region, const CheckInput& input) {
  const ScheduleOptions& options = context.options;
  if (!IsSmall(region, options.max_merge_region_size_mib, options.max_merge_region_keys)) return {};
  if (IsPaused(input, CheckerKind::kMerge)) return Refused(region, Reason::kPaused);
  const uint64_t limit = options.merge_schedule_limit;
  if (input.merge_operators >= limit) {
    return Refused(region, Reason::kScheduleLimit, input.merge_operators, limit);
  }
  return CheckMerge(context, region);
}

/// Nothing is to be repaired, or those who would say so are paused or were told to leave it.
bool IsWell(const PlanContext& context, const Decision& repairs, const CheckInput& input) {
  const CheckerKind repairer =
      context.options.enable_placement_rules ? CheckerKind::kRule : CheckerKind::kReplica;
  return repairs.proposals.empty() &&
         (IsPaused(input, repairer) ||
          std::ranges::all_of(repairs.refusals, [](const Refusal& refusal) {
            return refusal.reason == Reason::kSwitchedOff;
          }));
}

}  // namespace

std::optional<CheckerKind> CheckerByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<CheckerKind>(i);
  }
  return {};
}

Decision RepairRegion(const PlanContext& context, const Region& region) {
  CheckInput input;
  input.limited = false;
  return Repair(context, region, input);
}

CheckResult CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input) {
  CheckResult result;
  result.repair = Repair(context, region, input);
  if (region.InJointState() || !result.repair.proposals.empty()) return result;
  AffinityCheck affinity = CheckGroup(context, region, input);
  result.affinity = Named("affinity_checker", std::move(affinity.decision));
  result.finding = std::move(affinity.finding);
  if (!result.affinity.proposals.empty() || !IsWell(context, result.repair, input) ||
      context.IsScheduleDenied(region)) {
    return result;
  }
  result.merge = Named("merge_checker", CheckSmall(context, region, input));
  return result;
}

}  // namespace scheduler

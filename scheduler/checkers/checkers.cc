#include "scheduler/checkers/checkers.h"

#include <utility>

#include "scheduler/checkers/joint_state_checker.h"
#include "scheduler/checkers/learner_checker.h"
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

Decision Refused(const Region& region, Reason reason, double value, double bound) {
  Decision decision;
  decision.Refuse({reason, StoreId{}, region.id, value, bound, {}});
  return decision;
}

/// Looked at first, so that a region which needs nothing is not put back into the queue.
Decision UnderLimit(const PlanContext& context, const Region& region, const CheckInput& input,
                    Decision decision) {
  if (decision.proposals.empty()) return decision;
  const bool witness = decision.proposals.front().kind == Kind::kWitness;
  const uint64_t running = witness ? input.witness_operators : input.replica_operators;
  const uint64_t limit =
      witness ? context.options.witness_schedule_limit : context.options.replica_schedule_limit;
  if (running < limit) return decision;
  Decision later = Refused(region, Reason::kScheduleLimit, static_cast<double>(running),
                           static_cast<double>(limit));
  later.look_again_soon = true;
  later.missing_peers = decision.missing_peers;
  return later;
}

/// Without placement rules. Promotions count against no limit.
Decision CheckWithoutRules(const PlanContext& context, const Region& region,
                           const CheckInput& input) {
  Decision learners;
  if (!IsPaused(input, CheckerKind::kLearner)) learners = CheckLearners(context, region);
  if (!learners.proposals.empty()) return learners;
  Decision decision = IsPaused(input, CheckerKind::kReplica)
                          ? Refused(region, Reason::kPaused, 0, 0)
                          : UnderLimit(context, region, input, CheckReplicas(context, region));
  for (Refusal& refusal : learners.refusals) decision.Refuse(std::move(refusal));
  return decision;
}

}  // namespace

std::optional<CheckerKind> CheckerByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<CheckerKind>(i);
  }
  return {};
}

Decision RepairRegion(const PlanContext& context, const Region& region) {
  if (context.options.enable_placement_rules) return CheckRules(context, region);
  Decision learners = CheckLearners(context, region);
  return learners.proposals.empty() ? CheckReplicas(context, region) : learners;
}

Decision CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (region.InJointState()) {
    if (IsPaused(input, CheckerKind::kJointState)) return Refused(region, Reason::kPaused, 0, 0);
    return CheckJointState(context, region);
  }
  // Without ids a store could not split, and the try would keep others from repairing the region.
  if (context.options.enable_tikv_split_region && !IsPaused(input, CheckerKind::kSplit)) {
    if (Decision split = CheckSplit(context, region); !split.proposals.empty()) return split;
  }
  if (!context.options.enable_placement_rules) return CheckWithoutRules(context, region, input);
  if (IsPaused(input, CheckerKind::kRule)) return Refused(region, Reason::kPaused, 0, 0);
  return UnderLimit(context, region, input, CheckRules(context, region, input.data_returned));
}

}  // namespace scheduler

#include "scheduler/checkers/checkers.h"

#include <utility>

#include "scheduler/checkers/joint_state_checker.h"
#include "scheduler/checkers/rule_checker.h"
#include "scheduler/checkers/split_checker.h"

namespace scheduler {
namespace {

constexpr std::array<const char*, kCheckerKindCount> kNames = {
    "learner", "replica", "rule", "split", "merge", "joint-state", "affinity"};

bool Paused(const CheckInput& input, CheckerKind kind) {
  return input.paused[static_cast<size_t>(kind)];
}

Decision Refused(const Region& region, Reason reason, double value = 0, double bound = 0) {
  Decision decision;
  decision.Refuse({reason, StoreId{}, region.id, value, bound, {}});
  return decision;
}

Decision AtLimit(const Region& region, uint64_t running, uint64_t limit) {
  return Refused(region, Reason::kScheduleLimit, static_cast<double>(running),
                 static_cast<double>(limit));
}

Decision Repair(const PlanContext& context, const Region& region, const CheckInput& input) {
  if (region.InJointState()) {
    if (Paused(input, CheckerKind::kJointState)) return Refused(region, Reason::kPaused);
    return CheckJointState(context, region);
  }
  // Without ids a store could not split, and the try would keep others from repairing the region.
  if (context.options.enable_tikv_split_region && !Paused(input, CheckerKind::kSplit)) {
    if (Decision split = CheckSplit(context, region); !split.proposals.empty()) return split;
  }
  if (Paused(input, CheckerKind::kRule)) return Refused(region, Reason::kPaused);
  Decision decision = CheckRules(context, region);
  if (decision.proposals.empty()) return decision;
  const bool witness = decision.proposals.front().kind == Kind::kWitness;
  const uint64_t running = witness ? input.witness_operators : input.replica_operators;
  const uint64_t limit =
      witness ? context.options.witness_schedule_limit : context.options.replica_schedule_limit;
  if (running >= limit) {
    // Looked at first, so that a region which needs nothing is not put back into the queue.
    decision = AtLimit(region, running, limit);
    decision.look_again_soon = true;
  }
  return decision;
}

AffinityCheck Affinity(const PlanContext& context, const Region& region, const CheckInput& input) {
  const uint64_t limit = context.options.affinity_schedule_limit;
  if (limit == 0 || context.AffinityOf(region) == nullptr) return {};
  if (context.IsScheduleDenied(region)) {
    return {Refused(region, Reason::kRegionScheduleDenied), {}};
  }
  if (Paused(input, CheckerKind::kAffinity)) return {Refused(region, Reason::kPaused), {}};
  if (input.affinity_operators >= limit) {
    return {AtLimit(region, input.affinity_operators, limit), {}};
  }
  return CheckAffinity(context, region);
}

}  // namespace

std::optional<CheckerKind> CheckerByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<CheckerKind>(i);
  }
  return {};
}

CheckResult CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input) {
  CheckResult result;
  result.repair = Repair(context, region, input);
  if (!result.repair.proposals.empty()) return result;
  AffinityCheck affinity = Affinity(context, region, input);
  result.affinity = std::move(affinity.decision);
  result.finding = std::move(affinity.finding);
  return result;
}

}  // namespace scheduler

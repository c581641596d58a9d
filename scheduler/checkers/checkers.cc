#include "scheduler/checkers/checkers.h"

#include "scheduler/checkers/joint_state_checker.h"
#include "scheduler/checkers/rule_checker.h"
#include "scheduler/checkers/split_checker.h"

namespace scheduler {
namespace {

constexpr std::array<const char*, kCheckerKindCount> kNames = {
    "learner", "replica", "rule", "split", "merge", "joint-state", "affinity"};

}  // namespace

std::optional<CheckerKind> CheckerByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<CheckerKind>(i);
  }
  return {};
}

Decision CheckRegion(const PlanContext& context, const Region& region, const CheckInput& input) {
  const auto paused = [&](CheckerKind kind) { return input.paused[static_cast<size_t>(kind)]; };
  const auto refuse = [&](Reason reason, double value, double bound) {
    Decision decision;
    decision.Refuse({reason, StoreId{}, region.id, value, bound, {}});
    return decision;
  };
  if (region.InJointState()) {
    if (paused(CheckerKind::kJointState)) return refuse(Reason::kPaused, 0, 0);
    return CheckJointState(context, region);
  }
  // Without ids a store could not split, and the try would keep others from repairing the region.
  if (context.options.enable_tikv_split_region && !paused(CheckerKind::kSplit)) {
    if (Decision split = CheckSplit(context, region); !split.proposals.empty()) return split;
  }
  if (paused(CheckerKind::kRule)) return refuse(Reason::kPaused, 0, 0);
  Decision decision = CheckRules(context, region, input.data_returned);
  if (decision.proposals.empty()) return decision;
  const bool witness = decision.proposals.front().kind == Kind::kWitness;
  const uint64_t running = witness ? input.witness_operators : input.replica_operators;
  const uint64_t limit =
      witness ? context.options.witness_schedule_limit : context.options.replica_schedule_limit;
  if (running >= limit) {
    // Looked at first, so that a region which needs nothing is not put back into the queue.
    decision =
        refuse(Reason::kScheduleLimit, static_cast<double>(running), static_cast<double>(limit));
    decision.look_again_soon = true;
  }
  return decision;
}

}  // namespace scheduler

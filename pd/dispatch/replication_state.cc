#include "pd/dispatch/replication_state.h"

#include <algorithm>

#include "scheduler/checkers/checkers.h"

namespace pd {
namespace {

constexpr size_t kPlansMax = 1000;

bool IsStuck(const scheduler::PlanContext& context, const scheduler::Region& region) {
  const scheduler::Decision decision = scheduler::RepairRegion(context, region);
  return decision.proposals.empty() &&
         std::ranges::any_of(decision.refusals, [](const scheduler::Refusal& refusal) {
           return refusal.reason == scheduler::Reason::kNoTarget;
         });
}

}  // namespace

Replication ReplicationOf(const scheduler::PlanContext& context, const RegionTable& regions,
                          const scheduler::KeyRange& range) {
  Replication state = Replication::kComplete;
  size_t plans = 0;
  regions.Visit(range, [&](const scheduler::Region& region) {
    if (context.Fit(region).IsSatisfied()) return true;
    const bool stuck = IsStuck(context, region);
    state = stuck ? Replication::kStuck : Replication::kInProgress;
    return !stuck && ++plans < kPlansMax;
  });
  return state;
}

}  // namespace pd

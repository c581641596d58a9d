#include "scheduler/schedulers/scatter_range.h"

#include "scheduler/schedulers/balance_leader.h"
#include "scheduler/schedulers/balance_region.h"
#include "scheduler/schedulers/range_view.h"

namespace scheduler {
namespace {

constexpr double kToleranceRatio = 2;

/// Notes what the run found; its proposals, at most `room`, become those of the range.
void Take(Decision& decision, Decision run, const std::string& desc, uint64_t room) {
  for (Refusal& refusal : run.refusals) decision.Refuse(std::move(refusal));
  for (Proposal& proposal : run.proposals) {
    if (decision.proposals.size() >= room) return;
    proposal.desc = desc;
    proposal.kind |= Kind::kRange;
    decision.proposals.push_back(std::move(proposal));
  }
}

Refusal AtLimit(uint64_t running, uint64_t limit, const char* detail) {
  return {Reason::kScheduleLimit,     StoreId{}, RegionId{}, static_cast<double>(running),
          static_cast<double>(limit), detail};
}

}  // namespace

Decision ScatterRange(const PlanContext& context, const ScatterRangeConfig& config,
                      ScatterRangeMemory& memory, uint64_t running, Rng& rng) {
  const RangeView view(context.view, config.range);
  ScheduleOptions options = context.options;
  options.tolerant_size_ratio = kToleranceRatio;
  const PlanContext inside{
      view,           options,          context.rules, context.influence, context.busy_regions,
      context.labels, context.affinity, context.moved, context.now,       context.unix_ns};
  Decision decision;
  const uint64_t leaders_max = options.leader_schedule_limit;
  if (running < leaders_max) {
    BalanceLeaderConfig leaders;
    leaders.ranges = {config.range};
    Take(decision, BalanceLeader(inside, leaders, memory.leaders, rng),
         "scatter-range-leader-" + config.range_name, leaders_max - running);
    if (!decision.proposals.empty()) return decision;
  } else {
    decision.Refuse(AtLimit(running, leaders_max, "leader-schedule-limit"));
  }
  const uint64_t regions_max = options.region_schedule_limit;
  if (running < regions_max) {
    Take(decision, BalanceRegion(inside, {{config.range}}, memory.regions, rng),
         "scatter-range-region-" + config.range_name, regions_max - running);
  } else {
    decision.Refuse(AtLimit(running, regions_max, "region-schedule-limit"));
  }
  return decision;
}

}  // namespace scheduler

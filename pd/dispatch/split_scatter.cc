#include "pd/dispatch/split_scatter.h"

#include <utility>

#include "scheduler/scatter/split_scatter.h"

namespace pd {

using scheduler::Instant;
using scheduler::Kind;
using scheduler::Reason;
using scheduler::Region;
using Attempt = SplitScatterQueue::Attempt;
using Waiting = SplitScatterQueue::Waiting;

namespace {

scheduler::Decision Empty() {
  scheduler::Decision decision;
  decision.checker = "split_scatter";
  return decision;
}

}  // namespace

SplitScatter::SplitScatter(Deps deps)
    : deps_(std::move(deps)),
      dropped_(deps_.metrics.Counters("pd_checker_split_scatter_pending_dropped_total",
                                      "Entries dropped because the list was full")),
      expired_(deps_.metrics.Counters("pd_checker_split_scatter_pending_expired_total",
                                      "Entries that expired", {"attempted"})) {}

void SplitScatter::Granted(const GrantedSplit& split, uint64_t limit, Instant now) {
  if (split.reason != scheduler::SplitReason::kLoad || limit == 0) return;
  SplitScatterQueue::Batch batch;
  batch.group = scheduler::GroupOfSplit(split.source, split.regions.front(), split.range);
  batch.source = split.source;
  batch.version = split.version + 1;
  batch.regions = split.regions;
  batch.regions.push_back(split.source);
  DropExpired(now);  // They take no room from it.
  if (!queue_.Add(batch, now)) dropped_.Only().Add(static_cast<double>(batch.regions.size()));
}

void SplitScatter::Turn(const scheduler::PlanContext& context) {
  const uint64_t limit = context.options.split_scatter_schedule_limit;
  if (limit == 0) return queue_.Clear();
  if (context.now < next_) return;
  DropExpired(context.now);
  const std::vector<Waiting> parts = queue_.Due(context.now, kLookedAtMax);
  bool any_ready = false;
  for (const Waiting& part : parts) {
    if (!IsReady(part)) {
      queue_.Delay(part, context.now + kPause, Attempt::kNotYet);
      continue;
    }
    any_ready = true;
    const uint64_t running = deps_.runner.CountOf(Kind::kSplitScatter);
    if (running >= limit) {
      next_ = context.now + kPause;
      return RefuseMore(part.region, running, limit);
    }
    Scatter(context, part);
  }
  // Behind those that one turn looks at more may be ready.
  if (!any_ready && parts.size() < kLookedAtMax) next_ = context.now + kPause;
}

bool SplitScatter::IsReady(const Waiting& part) const {
  const std::optional<Region> source = deps_.regions.Find(part.source);
  if (!source || source->epoch.version < part.version) return false;
  return part.region == part.source || deps_.regions.Find(part.region).has_value();
}

void SplitScatter::Scatter(const scheduler::PlanContext& context, const Waiting& part) {
  const std::optional<Region> region = deps_.regions.Find(part.region);
  if (!region) return;
  const scheduler::ScatterCounts counts = scheduler::CountScattered(
      context.view, part.group.range, deps_.runner.PlansOf(Kind::kSplitScatter));
  scheduler::ScatterPlan plan =
      scheduler::PlanSplitScatter(context, *region, part.group.name, counts);
  if (plan.outcome == scheduler::ScatterOutcome::kInPlace) return queue_.Done(part);
  scheduler::Decision decision = Empty();
  decision.look_again_soon = plan.refusal.has_value();
  if (plan.refusal) decision.Refuse(*std::move(plan.refusal));
  if (plan.proposal) decision.proposals.push_back(*std::move(plan.proposal));
  if (deps_.follow(decision)) {
    queue_.Delay(part, context.now + kPause, Attempt::kMade);
  } else {
    queue_.Done(part);
  }
}

void SplitScatter::RefuseMore(scheduler::RegionId region, uint64_t running, uint64_t limit) {
  scheduler::Decision decision = Empty();
  decision.Refuse({Reason::kScheduleLimit,
                   {},
                   region,
                   static_cast<double>(running),
                   static_cast<double>(limit),
                   {}});
  deps_.follow(decision);
}

void SplitScatter::DropExpired(Instant now) {
  const SplitScatterQueue::Expired expired = queue_.DropExpired(now);
  if (expired.attempted > 0) {
    expired_.With({"true"}).Add(static_cast<double>(expired.attempted));
  }
  if (expired.not_attempted > 0) {
    expired_.With({"false"}).Add(static_cast<double>(expired.not_attempted));
  }
}

}  // namespace pd

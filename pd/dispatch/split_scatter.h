#pragma once

#include <functional>

#include "pd/cluster/cluster.h"
#include "pd/dispatch/operator_runner.h"
#include "pd/dispatch/split_scatter_queue.h"
#include "pd/metrics/metrics.h"
#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace pd {

/// Spreads the parts of regions that stores split for load (as in the reference): takes them into a queue when their
/// ids are granted, and starts operators for them once the split is heard of, so many at a time as
/// `schedule.split-scatter-schedule-limit` says; 0 turns it off and empties the queue.
///
/// Each part is planned with the operators of those before it started. What is refused, by planning or by admission,
/// is asked again after a second; what belongs where it is, is done. The turn itself pauses for a second when no more
/// may be started or nothing is ready.
///
/// Granted() is thread-safe, as are Clear() and waiting(); Turn() is for the one thread that plans.
class SplitScatter {
 public:
  static constexpr Millis kPause{1000};
  /// Parts that one turn looks at.
  static constexpr size_t kLookedAtMax = 64;

  struct Deps {
    const RegionTable& regions;
    const OperatorRunner& runner;
    /// Notes a decision and admits what it proposes. True when something was refused.
    std::function<bool(scheduler::Decision&)> follow;
    MetricsRegistry& metrics;
  };

  explicit SplitScatter(Deps deps);

  /// Splits for other reasons are nothing to it. With a `limit` of 0 neither are those for load.
  void Granted(const GrantedSplit& split, uint64_t limit, scheduler::Instant now);
  void Turn(const scheduler::PlanContext& context);
  void Clear() { queue_.Clear(); }
  /// Regions in the queue.
  [[nodiscard]] size_t waiting() const { return queue_.size(); }

 private:
  /// The split is heard of, from the region that split and from the part.
  [[nodiscard]] bool IsReady(const SplitScatterQueue::Waiting& part) const;
  void Scatter(const scheduler::PlanContext& context, const SplitScatterQueue::Waiting& part);
  /// As many run as may.
  void RefuseMore(scheduler::RegionId region, uint64_t running, uint64_t limit);
  void DropExpired(scheduler::Instant now);

  const Deps deps_;
  CounterFamily& dropped_;
  CounterFamily& expired_;
  SplitScatterQueue queue_;
  scheduler::Instant next_;  // Of the thread that plans.
};

}  // namespace pd

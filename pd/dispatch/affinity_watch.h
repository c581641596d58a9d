#pragma once

#include <optional>

#include "pd/cluster/affinity_groups.h"
#include "scheduler/affinity/census.h"
#include "scheduler/filters/plan_context.h"

namespace pd {

/// Keeps an eye on the affinity groups for as long as a leader plans: their stores every ten seconds (as in the
/// reference), and how many of their regions are in place, a bounded part of them in each turn and a round at most
/// once a second. Nothing is counted while `affinity-schedule-limit` is 0. For the coordinator's thread.
class AffinityWatch {
 public:
  static constexpr scheduler::Millis kLookInterval = scheduler::Seconds{10};
  static constexpr scheduler::Millis kCountInterval = scheduler::Seconds{1};
  static constexpr size_t kCountedBatch = 1024;

  explicit AffinityWatch(AffinityGroups& groups) : groups_(groups) {}

  /// What is due at the context's moment.
  void Turn(const scheduler::PlanContext& context);
  /// For a new leadership. The first look at the stores comes an interval later: by then they have been heard.
  void Clear();

 private:
  AffinityGroups& groups_;
  scheduler::AffinityCensus census_;
  std::optional<scheduler::Instant> next_look_;   // None before the first turn.
  std::optional<scheduler::Instant> next_count_;  // None while nothing is counted.
};

}  // namespace pd

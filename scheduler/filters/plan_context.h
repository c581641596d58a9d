#pragma once

#include <set>
#include <span>

#include "scheduler/affinity/affinity_group.h"
#include "scheduler/filters/options.h"
#include "scheduler/model/cluster_view.h"
#include "scheduler/model/time.h"
#include "scheduler/rules/fit.h"
#include "scheduler/rules/region_label.h"
#include "scheduler/rules/rule_book.h"
#include "scheduler/stats/influence.h"
#include "scheduler/stats/move_history.h"

namespace scheduler {

/// What every planning function reads. References live as long as one plan; nothing here is written.
struct PlanContext {
  const ClusterView& view;
  const ScheduleOptions& options;
  const RuleBook& rules;
  const Influence& influence;              // Of the unfinished steps of all running operators.
  const std::set<RegionId>& busy_regions;  // Those with a running operator.
  const RegionLabelBook& labels;
  const AffinityGroups& affinity;
  const MoveHistory& moved;  // By schedulers, and not to be taken back.
  Instant now;
  int64_t unix_ns;  // The same moment by the calendar, by which labels expire.
  /// Those of a balance-range job that runs: balance-leader and balance-region leave them alone.
  std::span<const KeyRange> reserved_ranges{};

  [[nodiscard]] RegionFit Fit(const Region& region) const {
    return FitRegion(view, rules.RulesFor(region), region,
                     options.enable_witness ? Witnesses::kAllowed : Witnesses::kNone);
  }
  /// Labelled `schedule=deny`: no scheduler's business.
  [[nodiscard]] bool IsScheduleDenied(const Region& region) const {
    return labels.IsScheduleDenied(region, unix_ns);
  }
  /// The affinity group of the region, or null.
  [[nodiscard]] const AffinityGroups::value_type* AffinityOf(const Region& region) const {
    return FindAffinityGroup(affinity, labels, region, unix_ns);
  }
  /// The region score by the version that is set, with `delta_mib` more on the store.
  [[nodiscard]] double RegionScore(const Store& store, int64_t delta_mib) const;
  /// The leader score by the policy that is set; `delta` counts leaders or MiB accordingly.
  [[nodiscard]] double LeaderScore(const Store& store, int64_t delta) const;
};

}  // namespace scheduler

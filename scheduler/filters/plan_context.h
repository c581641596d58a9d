#pragma once

#include "scheduler/filters/options.h"
#include "scheduler/model/cluster_view.h"
#include "scheduler/model/time.h"
#include "scheduler/rules/fit.h"
#include "scheduler/rules/rule.h"

namespace scheduler {

/// What every planning function reads. References live as long as one plan; nothing here is written.
struct PlanContext {
  const ClusterView& view;
  const ScheduleOptions& options;
  const RuleBook& rules;
  Instant now;

  [[nodiscard]] RegionFit Fit(const Region& region) const {
    return FitRegion(view, rules.RulesFor(region), region);
  }
};

}  // namespace scheduler

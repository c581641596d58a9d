#pragma once

#include "pd/cluster/region_table.h"
#include "scheduler/filters/plan_context.h"

namespace pd {

/// How far the regions of a range have come to fulfil their placement rules.
enum class Replication : uint8_t {
  kComplete,
  kInProgress,
  kStuck,  // Some region lacks a peer that no store may take.
};

/// The worst state of the regions in `range`. Regions that lack something are planned for, to see whether they can be
/// helped; a thousand at most.
Replication ReplicationOf(const scheduler::PlanContext& context, const RegionTable& regions,
                          const scheduler::KeyRange& range);

}  // namespace pd

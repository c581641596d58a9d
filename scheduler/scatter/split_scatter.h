#pragma once

#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/operator.h"
#include "scheduler/scatter/scatter.h"
#include "scheduler/scatter/scatter_counts.h"

namespace scheduler {

/// The regions among which the parts of a split for load are spread.
struct SplitScatterGroup {
  std::string name;
  KeyRange range;  // Those that overlap it.

  friend bool operator==(const SplitScatterGroup&, const SplitScatterGroup&) = default;
};

/// The group of a region's parts (names as in the reference). `range` is what the parts hold together, `first_new` the
/// smallest id of the new ones. Where the range begins with a record of a table or an entry of an index, it is that
/// table or index, and what the parts hold beyond its end: `split-scatter-table-45`,
/// `split-scatter-keyspace-3-index-45-1`. Else the parts alone: `split-scatter-5-9`.
SplitScatterGroup GroupOfSplit(RegionId source, RegionId first_new, const KeyRange& range);

/// How many peers and leaders of the regions of `range` each store has now, and will have when the operators with the
/// plans `running`, those of the range among them, are done. O(stores * log regions).
ScatterCounts CountScattered(const ClusterView& view, const KeyRange& range,
                             const std::vector<Proposal>& running);

/// Spreads one part of a split for load over the stores, without anybody asking (as in the reference). As PlanScatter,
/// but
/// - `counts` are what stores really have, the region's own peers and its lead among them, from CountScattered; of
///   stores with as few peers of the group the one with fewer regions of all is chosen, then the smaller id;
/// - a peer moves only from a store with at least two more peers of the group, the lead only from one with at least two
///   more leaders: every move makes it more even, so that moves come to an end;
/// - the lead goes to stores only that may be given leaders now; with as few leaders of the group, to the one with
///   fewer peers of it. Where no such store is among those to which the region goes, or the leader is on a store from
///   which no lead may be taken now, the leader and its peer stay, and the other peers are placed without them;
/// - the operator is not an administrator's: `split-scatter-region`, of kind kSplitScatter.
///
/// Refused are also regions labelled schedule=deny (kRegionScheduleDenied). What is refused may be asked again later.
/// Of the plan's counts nothing is to be recorded.
ScatterPlan PlanSplitScatter(const PlanContext& context, const Region& region,
                             const std::string& group, const ScatterCounts& counts);

}  // namespace scheduler

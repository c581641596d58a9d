#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace scheduler {

/// What schedulers that move hot regions about share, beside balance-hot-region.

/// The hot peers of all stores, reads and writes, with the highest byte rate first. A peer that is hot in both ways is
/// there twice.
std::vector<HotPeer> AllHotPeers(const ClusterView& view);

/// Why the peer may not go to `target` now, or its lead where that holds a peer; none: `region` is set.
std::optional<Refusal> RefuseHotTrip(const PlanContext& context, const HotPeer& peer,
                                     const Store& target, HotTask task, Region& region);

/// The peer goes to `to`, or its lead where that holds a peer; a leader leads there. `aim` says in the operator's
/// `why` what that is for, after what the peer bears.
struct HotTrip {
  std::string desc;
  StoreId to;
  Priority priority = Priority::kHigh;
  std::string aim;
};
Result<Proposal> MoveHotPeer(const PlanContext& context, const Region& region, const HotPeer& peer,
                             HotTrip trip);

}  // namespace scheduler

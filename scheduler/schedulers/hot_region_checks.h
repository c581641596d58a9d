#pragma once

#include <optional>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace scheduler {

/// Hard constraints on moves of hot peers; how good a move would be is the rank's business.

/// Why nothing of the task leaves the store now.
std::optional<Refusal> RefuseHotSource(const PlanContext& context, const Store& store,
                                       HotTask task);

/// Why this peer's region is not to be moved now, in whatever direction: it was lately, or its leader was, or it is
/// busy.
std::optional<Refusal> RefuseHotPeer(const PlanContext& context, const HotRegionMemory& memory,
                                     const HotPeer& peer, Access access);

/// Why the region, as it is now, may not be touched.
std::optional<Refusal> RefuseHotRegion(const PlanContext& context, const Region& region,
                                       const HotPeer& peer, HotTask task);

/// Why the peer may not go to `target`, or the lead if there is a peer.
std::optional<Refusal> RefuseHotMove(const PlanContext& context, const Region& region,
                                     const HotPeer& peer, const Store& target, HotTask task);

/// Why a move that evens out loads would soon be taken back: reads and writes may want the region on different stores.
std::optional<Refusal> RefuseHotReturn(const PlanContext& context, const Region& region,
                                       const HotPeer& peer, const Store& target, HotTask task);

}  // namespace scheduler

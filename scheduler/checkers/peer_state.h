#pragma once

#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// Neither down nor waiting for its data, as its leader says.
bool IsHealthyPeer(const Region& region, const Peer& peer);

/// The store is known and has been heard of lately.
bool IsConnected(const PlanContext& context, StoreId id);

/// Its leader misses the peer, and nothing was heard of its store for max-store-down-time: it is not waited for any
/// longer.
bool IsLostPeer(const PlanContext& context, const Region& region, const Peer& peer);

}  // namespace scheduler

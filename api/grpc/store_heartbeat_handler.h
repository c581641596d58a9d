#pragma once

#include "api/grpc/cluster_calls.h"
#include "pd/coordinator.h"

namespace api {

/// StoreHeartbeat (as in the reference): a store's statistics in; its state and the slow stores that it should wake its
/// regions for out. Peers that the store calls damaged are taken off it by operators.
void AddStoreHeartbeatHandler(MethodRegistry& registry, const ClusterCalls& calls,
                              pd::Coordinator& coordinator);

}  // namespace api

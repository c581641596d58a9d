#pragma once

#include "api/grpc/cluster_calls.h"
#include "api/grpc/heartbeat_streams.h"

namespace api {

/// RegionHeartbeat and ReportBuckets. `streams` outlives the registry.
void AddHeartbeatHandlers(MethodRegistry& registry, const ClusterCalls& calls,
                          HeartbeatStreams& streams);

}  // namespace api

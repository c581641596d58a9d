#pragma once

#include "api/grpc/cluster_calls.h"
#include "pd/coordinator.h"

namespace api {

/// GetOperator: the running operator of a region, else its last ended one (as in the reference).
void AddOperatorHandlers(MethodRegistry& registry, const ClusterCalls& calls,
                         pd::Coordinator& coordinator);

}  // namespace api

#pragma once

#include "api/grpc/registry.h"
#include "pd/server.h"

namespace api {

/// Members, cluster info, ids and single timestamps of pdpb.PD, and grpc.health.v1.
void RegisterBasicHandlers(MethodRegistry& methods, pd::PdServer& server);

}  // namespace api

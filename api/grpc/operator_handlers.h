#pragma once

#include <functional>

#include "api/grpc/registry.h"
#include "pd/coordinator.h"
#include "pd/server.h"

namespace api {

/// GetOperator: the running operator of a region, else its last ended one (grpc.md 5.6).
void AddOperatorHandlers(MethodRegistry& registry, pd::PdServer& server,
                         pd::Coordinator& coordinator);

}  // namespace api

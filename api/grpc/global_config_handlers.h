#pragma once

#include "api/grpc/registry.h"
#include "pd/server.h"

namespace api {

/// StoreGlobalConfig, LoadGlobalConfig and WatchGlobalConfig of pdpb.PD: plain keys below /global/config/.
/// Every member reads and watches; only the leader writes.
void RegisterGlobalConfigHandlers(MethodRegistry& methods, pd::PdServer& server);

}  // namespace api

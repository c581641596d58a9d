#pragma once

#include "api/grpc/registry.h"
#include "pd/server.h"

namespace api {

/// meta_storagepb.MetaStorage: the key-value space as it is, leader only, without a look at the cluster id (as in the
/// reference).
void RegisterMetaStorageHandlers(MethodRegistry& methods, pd::PdServer& server);

}  // namespace api

#pragma once

#include "api/http/router.h"
#include "pd/server.h"

namespace api {

/// What a restore from backup needs: the markers, the id base and the timestamp (below /pd/api/v1/admin).
void RegisterAdminHandlers(Router& router, pd::PdServer& server);

}  // namespace api

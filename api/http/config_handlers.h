#pragma once

#include "api/http/router.h"
#include "pd/server.h"

namespace api {

/// /pd/api/v1/config and its sections (as in the reference), and /pd/api/v1/admin/log.
void RegisterConfigHandlers(Router& router, pd::PdServer& server);

}  // namespace api

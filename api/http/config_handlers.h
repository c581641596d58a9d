#pragma once

#include "api/http/router.h"
#include "pd/server.h"

namespace api {

/// /pd/api/v1/config and its sections (http-json.md 10), and /pd/api/v1/admin/log.
void RegisterConfigHandlers(Router& router, pd::PdServer& server);

}  // namespace api

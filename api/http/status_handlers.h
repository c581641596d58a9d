#pragma once

#include "api/http/router.h"
#include "pd/server.h"

namespace api {

/// What a member says about itself alone: version, status, ping, and the probes /health, /livez and /readyz.
void RegisterStatusHandlers(Router& router, pd::PdServer& server);

}  // namespace api

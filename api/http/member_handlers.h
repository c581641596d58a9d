#pragma once

#include "api/http/router.h"
#include "pd/server.h"

namespace api {

/// Members and leadership: /pd/api/v1/members, /leader, /health and /pd/health; and what members tell each other,
/// /pd/api/v1/members/join and /members/publish.
void RegisterMemberHandlers(Router& router, pd::PdServer& server);

}  // namespace api

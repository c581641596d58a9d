#pragma once

#include <string>

#include "api/http/dashboard_feed.h"
#include "api/http/router.h"

namespace api {

/// The dashboard: /dashboard redirects to /dashboard/, /dashboard/{file} gives what web/ was built
/// to, GET /qm/api/v1/events is the feed. Every member answers for itself; the page finds the leader.
/// `feed` must outlive the router.
void RegisterDashboard(Router& router, DashboardFeed& feed);

/// One file of the page, compressed when the client takes gzip; 304 when it has it already.
[[nodiscard]] HttpResponse ServeWebAsset(const HttpRequest& request, const std::string& path);

}  // namespace api

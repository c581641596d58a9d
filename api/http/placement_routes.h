#pragma once

#include <fmt/format.h>
#include <tl/expected.hpp>

#include "api/http/request.h"
#include "api/http/response.h"
#include "api/http/router.h"
#include "pd/cluster/cluster.h"

namespace api {

/// What the routes of rules answer while these are turned off.
[[nodiscard]] inline HttpResponse RulesAreOff() {
  return ErrorResponse(412,
                       "[PD:placement:ErrPlacementDisabled]placement rules feature is disabled");
}

/// The region that a path names under "region", or the answer to give.
[[nodiscard]] inline tl::expected<scheduler::Region, HttpResponse> RegionInPath(
    const pd::Cluster& cluster, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("region"));
  if (!id) {
    return tl::unexpected(ErrorResponse(400, "[PD:region:ErrRegionInvalidID]invalid region id"));
  }
  auto region = cluster.regions().Find(scheduler::RegionId{*id});
  if (region) return *std::move(region);
  return tl::unexpected(
      ErrorResponse(404, fmt::format("[PD:region:ErrRegionNotFound]region {} not found", *id)));
}

}  // namespace api

#pragma once

#include <functional>

#include "api/http/router.h"
#include "pd/cluster/cluster.h"

namespace api {

/// What the cluster's routes need of the server. Everything outlives the router and is thread-safe.
struct ClusterRoutes {
  pd::Cluster& cluster;
  std::function<bool()> serving;  // The PD leader, with its lease.
};

/// Whether regions may be read here: on the leader of a running cluster, and on a follower (which only gets requests
/// that allow it) from what the leader's feed brought.
[[nodiscard]] inline bool MayReadRegions(const ClusterRoutes& routes) {
  return routes.serving() ? routes.cluster.running() : routes.cluster.synced();
}

/// A handler for a running cluster; otherwise ErrNotBootstrapped.
[[nodiscard]] HttpHandler WhenRunning(const ClusterRoutes& routes, HttpHandler handler);
/// The same for what only reads regions.
[[nodiscard]] HttpHandler WhenReadable(const ClusterRoutes& routes, HttpHandler handler);

void AddClusterRoutes(Router& router, const ClusterRoutes& routes);
void AddStoreRoutes(Router& router, const ClusterRoutes& routes);
void AddStoreLimitRoutes(Router& router, const ClusterRoutes& routes);
void AddStoreProgressRoutes(Router& router, const ClusterRoutes& routes);
void AddGcRoutes(Router& router, const ClusterRoutes& routes);
void AddRegionRoutes(Router& router, const ClusterRoutes& routes);
void AddRegionStatsRoutes(Router& router, const ClusterRoutes& routes);
void AddRegionLabelRoutes(Router& router, const ClusterRoutes& routes);
void AddAffinityRoutes(Router& router, const ClusterRoutes& routes);
void AddPlacementRoutes(Router& router, const ClusterRoutes& routes);
void AddHotspotRoutes(Router& router, const ClusterRoutes& routes);
void AddRegionListRoutes(Router& router, const ClusterRoutes& routes);

}  // namespace api

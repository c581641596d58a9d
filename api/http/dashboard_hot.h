#pragma once

#include <span>
#include <vector>

#include "api/http/dashboard_snapshot.h"
#include "pd/cluster/cluster.h"

namespace api {

/// Adds what the stores bear and the hottest peers; after FillCluster(), whose stores it reads.
void FillHot(const pd::Cluster& cluster, DashboardSnapshot& snapshot);

/// Loads by the heartbeats, of stores that are not silent and have said for how long they counted.
[[nodiscard]] std::vector<DashboardStoreLoad> StoreLoadsOf(std::span<const DashboardStore> stores);

/// All hot peers of one kind, cut to the first by each rate; those as hot as each other by region and store.
[[nodiscard]] DashboardHotPeers Hottest(std::vector<DashboardHotPeer> all);

}  // namespace api

#pragma once

#include "api/http/dashboard_snapshot.h"
#include "pd/cluster/cluster.h"
#include "pd/config/config_store.h"

namespace api {

/// Adds stores and regions of a bootstrapped cluster to a leader's picture.
void FillCluster(const pd::Cluster& cluster, const pd::OnlineConfig& config,
                 DashboardSnapshot& snapshot);

}  // namespace api

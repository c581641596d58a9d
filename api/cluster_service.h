#pragma once

#include "api/grpc/cluster_calls.h"
#include "api/grpc/heartbeat_handlers.h"
#include "api/grpc/region_sync_client.h"
#include "api/grpc/region_sync_service.h"
#include "api/http/cluster_routes.h"
#include "api/http/store_status_client.h"
#include "pd/cluster/cluster.h"
#include "pd/cluster/cluster_metrics.h"
#include "pd/cluster/hot_metrics.h"
#include "pd/cluster/store_config_watch.h"
#include "pd/server.h"

namespace api {

/// The cluster of stores with everything that serves it: RPCs, routes, the streams of the stores, and the feed from the
/// leader to the followers. Construct between PdServer::Open and its Start(); `server` and `leaders` outlive it.
class ClusterService {
 public:
  /// `tls`: for a leader at an https URL, as in OpenChannel; outlives this. `files`: for the status addresses of
  /// stores.
  ClusterService(pd::PdServer& server, const LeaderDirectory& leaders, const GrpcCredentials* tls,
                 const TlsFiles& files);

  void Register(MethodRegistry& registry, Router& router);

  /// Before the server's Start(): reads the regions in. Errors: kIo, kCorrupt.
  pd::Result<void> Start();
  /// After the transports have stopped, before the server is destroyed.
  void Stop();

  [[nodiscard]] pd::Cluster& cluster() { return cluster_; }
  [[nodiscard]] pd::ClusterMetrics& metrics() { return metrics_; }
  [[nodiscard]] pd::CommandSink& commands() { return streams_; }
  [[nodiscard]] const ClusterCalls& calls() const { return calls_; }

 private:
  pd::Cluster cluster_;
  pd::ClusterMetrics metrics_;
  pd::HotMetrics hot_metrics_;
  HeartbeatMetrics heartbeat_metrics_;
  ClusterCalls calls_;
  HeartbeatStreams streams_;
  RegionSyncService sync_service_;
  RegionSyncClient sync_client_;
  HttpStoreStatusClient status_client_;
  pd::StoreConfigWatch store_config_watch_;
};

}  // namespace api

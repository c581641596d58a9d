#include "api/cluster_service.h"

#include "pd/log/log.h"

namespace api {
namespace {

pd::Cluster::Deps DepsOf(pd::PdServer& server) {
  return {server.meta(),
          server.config_store(),
          server.ids(),
          server.clock(),
          [&server] { return server.cluster_id(); },
          [](const std::string& text) { pd::LogWarn(text, {}); },
          server.config().data_dir + "/hot-region"};
}

ClusterCalls CallsOf(pd::PdServer& server, pd::Cluster& cluster, const LeaderDirectory& leaders,
                     HeartbeatMetrics& heartbeat_metrics) {
  return {cluster,
          leaders,
          [&server] { return server.started(); },
          [&server] { return server.Serving(); },
          [&server] { return server.cluster_id(); },
          [&server]() -> pd::Result<uint64_t> {
            const auto granted = server.tso().Generate(1);
            if (!granted) return tl::unexpected<pd::Error>(granted.error());
            return granted->Composed();
          },
          heartbeat_metrics};
}

/// For the metrics of stores, which go with them.
std::string AddressOf(const pd::Cluster& cluster, scheduler::StoreId store) {
  const auto state = cluster.stores().NodeStateOf(store);
  if (!state || *state == scheduler::NodeState::kRemoved) return {};
  return cluster.stores().AddressOf(store);
}

RegionSyncClient::Deps SyncDepsOf(pd::PdServer& server, pd::Cluster& cluster,
                                  const GrpcCredentials* tls) {
  return {cluster,
          [&server] { return server.Serving(); },
          [&server] {
            const auto leader = server.members().PdLeader();
            const bool other = leader && leader->id != server.members().self().id;
            return other ? leader->client_urls : std::vector<std::string>();
          },
          [&server] { return server.cluster_id(); },
          server.members().self().name,
          server.members().self().client_urls,
          tls};
}

}  // namespace

ClusterService::ClusterService(pd::PdServer& server, const LeaderDirectory& leaders,
                               const GrpcCredentials* tls, const TlsFiles& files)
    : cluster_(DepsOf(server)),
      metrics_(cluster_, server.metrics()),
      hot_metrics_(cluster_, server.metrics()),
      heartbeat_metrics_(server.metrics(),
                         [this](scheduler::StoreId store) { return AddressOf(cluster_, store); }),
      calls_(CallsOf(server, cluster_, leaders, heartbeat_metrics_)),
      streams_(calls_.cluster_id, calls_.serving, server.clock(),
               [this](scheduler::StoreId store) { return heartbeat_metrics_.Of(store); }),
      sync_service_(calls_),
      sync_client_(SyncDepsOf(server, cluster_, tls)),
      status_client_(files),
      store_config_watch_({cluster_, status_client_, server.metrics(), server.clock()}) {
  server.group().AddListener(cluster_.listener());
  server.AddLeaderService(cluster_);
  server.AddLeaderService(store_config_watch_);
}

void ClusterService::Register(MethodRegistry& registry, Router& router) {
  AddClusterHandlers(registry, calls_);
  AddStoreHandlers(registry, calls_);
  AddSplitHandlers(registry, calls_);
  AddGcHandlers(registry, calls_);
  AddRegionHandlers(registry, calls_);
  AddHeartbeatHandlers(registry, calls_, streams_);
  sync_service_.Register(registry);
  const ClusterRoutes routes{cluster_, calls_.serving};
  AddClusterRoutes(router, routes);
  AddStoreRoutes(router, routes);
  AddStoreLimitRoutes(router, routes);
  AddStoreProgressRoutes(router, routes);
  AddRegionRoutes(router, routes);
  AddRegionLabelRoutes(router, routes);
  AddAffinityRoutes(router, routes);
  AddPlacementRoutes(router, routes);
  AddRegionListRoutes(router, routes);
  AddRegionStatsRoutes(router, routes);
  AddHotspotRoutes(router, routes);
  AddGcRoutes(router, routes);
}

pd::Result<void> ClusterService::Start() {
  if (auto started = cluster_.Start(); !started) return started;
  streams_.Start();
  sync_service_.Start();
  sync_client_.Start();
  store_config_watch_.Start();
  return {};
}

void ClusterService::Stop() {
  store_config_watch_.Stop();
  sync_client_.Stop();
  sync_service_.Stop();
  streams_.Stop();
  cluster_.Stop();
}

}  // namespace api

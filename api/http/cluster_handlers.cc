#include "api/http/cluster_routes.h"
#include "api/http/store_json.h"
#include "pd/config/values.h"

// The cluster's own routes (as in the reference), and the resolved timestamps of its stores.

namespace api {
namespace {

using Json = nlohmann::ordered_json;

HttpResponse GetCluster(const ClusterRoutes& routes) {
  Json json = Json::object();
  json["id"] = routes.cluster.cluster_id();
  json["max_peer_count"] = routes.cluster.config().online()->replication.max_replicas;
  return JsonV1(200, json);
}

HttpResponse GetStatus(const ClusterRoutes& routes) {
  Json json = Json::object();
  const int64_t bootstrapped = routes.cluster.bootstrap_time_unix_ns();
  json["raft_bootstrap_time"] =
      bootstrapped == 0 ? std::string("0001-01-01T00:00:00Z") : TimeText(bootstrapped);
  json["is_initialized"] = routes.cluster.running() && routes.cluster.IsInitialized();
  json["replication_status"] = "";
  return JsonV1(200, json);
}

Json ResolvedJson(const ClusterRoutes& routes, uint64_t ts) {
  const pd::Nanos interval =
      routes.cluster.config().online()->pd_server.min_resolved_ts_persistence_interval;
  Json json = Json::object();
  json["is_real_time"] = interval > pd::Nanos{0};
  json["min_resolved_ts"] = ts;
  json["persist_interval"] = pd::FormatDuration(interval);
  json["stores_min_resolved_ts"] = nullptr;
  return json;
}

/// `scope` is "cluster" for all stores, or a comma list of ids.
HttpResponse GetResolved(const ClusterRoutes& routes, const HttpRequest& request) {
  Json json = ResolvedJson(routes, routes.cluster.min_resolved_ts());
  const auto scope = request.Query("scope");
  if (!scope || scope->empty()) return JsonV1(200, json);
  Json by_store = Json::object();
  const auto add = [&](scheduler::StoreId id) {
    by_store[std::to_string(id.value)] = routes.cluster.StoreMinResolvedTs(id);
  };
  if (*scope == "cluster") {
    for (const scheduler::Store& store : routes.cluster.stores().All()) add(store.id);
  } else {
    std::string_view rest = *scope;
    while (true) {
      const size_t comma = rest.find(',');
      const auto id = ParseUint64(rest.substr(0, comma));
      if (!id) return ErrorResponse(400, id.error());
      add(scheduler::StoreId{*id});
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  json["stores_min_resolved_ts"] = nlohmann::json(by_store);
  return JsonV1(200, json);
}

HttpResponse GetStoreResolved(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("store_id"));
  if (!id) return ErrorResponse(400, id.error());
  return JsonV1(200,
                ResolvedJson(routes, routes.cluster.StoreMinResolvedTs(scheduler::StoreId{*id})));
}

}  // namespace

HttpHandler WhenRunning(const ClusterRoutes& routes, HttpHandler handler) {
  return [routes, handler = std::move(handler)](const HttpRequest& request) {
    if (!routes.serving() || !routes.cluster.running()) return NotBootstrappedResponse();
    return handler(request);
  };
}

HttpHandler WhenReadable(const ClusterRoutes& routes, HttpHandler handler) {
  return [routes, handler = std::move(handler)](const HttpRequest& request) {
    if (!MayReadRegions(routes)) return NotBootstrappedResponse();
    return handler(request);
  };
}

void AddClusterRoutes(Router& router, const ClusterRoutes& routes) {
  router.Add("GET", "/pd/api/v1/cluster", "GetCluster",
             [routes](const HttpRequest&) { return GetCluster(routes); });
  router.Add("*", "/pd/api/v1/cluster/status", "GetClusterStatus",
             [routes](const HttpRequest&) { return GetStatus(routes); });
  router.Add("GET", "/pd/api/v1/min-resolved-ts", "GetMinResolvedTS",
             WhenRunning(routes, [routes](const HttpRequest& request) {
               return GetResolved(routes, request);
             }));
  router.Add("GET", "/pd/api/v1/min-resolved-ts/{store_id}", "GetStoreMinResolvedTS",
             WhenRunning(routes, [routes](const HttpRequest& request) {
               return GetStoreResolved(routes, request);
             }));
}

}  // namespace api

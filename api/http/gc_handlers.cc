#include <charconv>
#include <string>

#include "api/http/cluster_routes.h"

// GC safe points over HTTP: what services asked for, and the way to drop one that is left over.

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::SafePoints;

HttpResponse GetSafePoints(const ClusterRoutes& routes) {
  const auto state = routes.cluster.safe_points().Read();
  if (!state) return ErrorResponse(500, state.error().context);
  Json services = Json::array();
  const auto add = [&](const std::string& id, int64_t expires_at_s, uint64_t ts) {
    Json entry = Json::object();
    entry["service_id"] = id;
    entry["expired_at"] = expires_at_s;
    entry["safe_point"] = ts;
    services.push_back(std::move(entry));
  };
  for (const SafePoints::Barrier& barrier : state->barriers) {
    if (barrier.id != SafePoints::kGcWorker) add(barrier.id, barrier.expires_at_s, barrier.ts);
  }
  add(SafePoints::kGcWorker, SafePoints::kForever, state->txn);
  Json json = Json::object();
  json["service_gc_safe_points"] = std::move(services);
  if (state->txn != 0) json["min_service_gc_safe_point"] = state->txn;
  json["gc_safe_point"] = state->gc;
  return JsonV1(200, json);
}

HttpResponse DeleteService(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string id(request.Param("service_id"));
  if (id != SafePoints::kGcWorker) {
    const auto deleted =
        routes.cluster.safe_points().DeleteBarrier(SafePoints::Scope::kCluster, id);
    if (!deleted) return ErrorResponse(500, deleted.error().context);
  }
  return JsonV1(200, Json("Delete service GC safepoint successfully."));
}

HttpResponse GetKeyspaceSafePoint(const ClusterRoutes& routes, const HttpRequest& request) {
  if (!routes.serving() || !routes.cluster.running()) {
    return CompactV2(500,
                     Json("[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please "
                          "start TiKV first"));
  }
  const std::string_view text = request.Param("keyspaceID");
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    return CompactV2(400, Json("invalid keyspace ID: " + std::string(text)));
  }
  if (id != 0)
    return CompactV2(500, Json("[PD:keyspace:ErrKeyspaceNotFound]keyspace does not exist"));
  Json json = Json::object();
  json["keyspace_id"] = id;
  json["safe_point"] = 0;
  return JsonV2(200, json);
}

}  // namespace

void AddGcRoutes(Router& router, const ClusterRoutes& routes) {
  router.Add("GET", "/pd/api/v1/gc/safepoint", "GetGCSafePoint",
             [routes](const HttpRequest&) { return GetSafePoints(routes); });
  router.Add("DELETE", "/pd/api/v1/gc/safepoint/{service_id}", "DeleteGCSafePoint",
             [routes](const HttpRequest& request) { return DeleteService(routes, request); });
  router.Add(
      "GET", "/pd/api/v2/gc/safepoint/{keyspaceID}", "GetKeyspaceGCSafePoint",
      [routes](const HttpRequest& request) { return GetKeyspaceSafePoint(routes, request); });
}

}  // namespace api

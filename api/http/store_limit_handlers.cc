#include <optional>
#include <string>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "pd/cluster/store_rules.h"

// Limits of how fast stores gain and lose peers.

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Store;
using scheduler::StoreId;

/// What a request sets: one rate or both.
struct LimitChange {
  double rate = 0;
  bool add_peer = true;
  bool remove_peer = true;

  void Apply(pd::StoreLimitConfig& limit) const {
    if (add_peer) limit.add_peer = rate;
    if (remove_peer) limit.remove_peer = rate;
  }
};

tl::expected<LimitChange, HttpResponse> ChangeOf(const Json& body, std::string_view v2_text,
                                                 const pd::OnlineConfig& config) {
  const auto refuse = [](std::string_view text) {
    return tl::unexpected<HttpResponse>(ErrorResponse(400, text));
  };
  if (body.is_object() && body.contains("ttlSecond")) return refuse("ttlSecond is deprecated");
  if (config.schedule.store_limit_version == "v2") return refuse(v2_text);
  if (!body.is_object() || !body.contains("rate") || !body["rate"].is_number()) {
    return refuse("rate unset");
  }
  LimitChange change{.rate = body["rate"].get<double>()};
  if (change.rate <= 0) return refuse("invalid rate which should be larger than 0");
  if (!body.contains("type")) return change;
  if (!body["type"].is_string()) return refuse("bad format type");
  const auto type = body["type"].get<std::string>();
  if (type != "add-peer" && type != "remove-peer" && !type.empty()) return refuse("unknown type");
  if (!type.empty()) {
    change.add_peer = type == "add-peer";
    change.remove_peer = !change.add_peer;
  }
  return change;
}

HttpResponse SetStoreLimit(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return InputError(id.error());
  const auto body = ReadBody(request);
  if (!body) return body.error();
  const auto change = ChangeOf(*body, "current store limit version:v2 not support set limit",
                               *routes.cluster.config().online());
  if (!change) return change.error();
  if (!routes.cluster.stores().Contains(StoreId{*id})) {
    return ErrorResponse(500, pd::StoreNotFound(StoreId{*id}).context);
  }
  const auto set =
      routes.cluster.config().Update([&](pd::OnlineConfig& config) -> pd::Result<void> {
        auto [it, fresh] =
            config.schedule.store_limit.try_emplace(*id, config.schedule.default_store_limit);
        change->Apply(it->second);
        return {};
      });
  if (!set) return ErrorResponse(500, set.error().context);
  return JsonV1(200, Json("The store's limit is updated."));
}

bool HasLabels(const Store& store, const Json& labels) {
  for (const auto& [key, value] : labels.items()) {
    if (!value.is_string() || store.Label(key) != value.get<std::string>()) return false;
  }
  return true;
}

HttpResponse SetAllLimits(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto body = ReadBody(request);
  if (!body) return body.error();
  const auto change = ChangeOf(*body, "current store limit version:v2 not support get limit",
                               *routes.cluster.config().online());
  if (!change) return change.error();
  const bool chosen = body->contains("labels");
  const std::vector<Store> stores = routes.cluster.stores().All();
  const auto set =
      routes.cluster.config().Update([&](pd::OnlineConfig& config) -> pd::Result<void> {
        pd::ScheduleConfig& schedule = config.schedule;
        if (!chosen) {
          change->Apply(schedule.default_store_limit);
          for (auto& [id, limit] : schedule.store_limit) change->Apply(limit);
          return {};
        }
        for (const Store& store : stores) {
          if (!HasLabels(store, (*body)["labels"])) continue;
          auto [it, fresh] =
              schedule.store_limit.try_emplace(store.id.value, schedule.default_store_limit);
          change->Apply(it->second);
        }
        return {};
      });
  if (!set) return ErrorResponse(500, set.error().context);
  return JsonV1(200, Json("Set store limit successfully."));
}

HttpResponse GetLimits(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto config = routes.cluster.config().online();
  if (config->schedule.store_limit_version == "v2") {
    return ErrorResponse(400, "current store limit version:v2 not support get limit");
  }
  bool tombstones = false;
  if (const auto text = request.Query("include_tombstone"); text && !text->empty()) {
    const auto value = ParseBool(*text);
    if (!value) return ErrorResponse(400, value.error());
    tombstones = *value;
  }
  nlohmann::json limits = nlohmann::json::object();
  for (const auto& [id, limit] : config->schedule.store_limit) {
    const auto state = routes.cluster.stores().NodeStateOf(StoreId{id});
    if (!tombstones && (!state || *state == scheduler::NodeState::kRemoved)) continue;
    limits[std::to_string(id)] = {{"add-peer", limit.add_peer}, {"remove-peer", limit.remove_peer}};
  }
  return JsonV1(200, limits);
}

}  // namespace

void AddStoreLimitRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto add = [&](const char* method, const char* path, const char* name, Handler handler) {
    router.Add(method, path, name,
               WhenRunning(routes, [routes, handler](const HttpRequest& request) {
                 return handler(routes, request);
               }));
  };
  add("POST", "/pd/api/v1/store/{id}/limit", "SetStoreLimit", SetStoreLimit);
  add("GET", "/pd/api/v1/stores/limit", "GetAllStoresLimit", GetLimits);
  add("POST", "/pd/api/v1/stores/limit", "SetAllStoresLimit", SetAllLimits);
}

}  // namespace api

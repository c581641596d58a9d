// Why regions do not leave a store that is offline.
#include <fmt/format.h>

#include "api/http/scheduling_routes.h"
#include "api/http/store_json.h"
#include "pd/cluster/store_rules.h"
#include "pd/dispatch/refusal_words.h"
#include "pd/dispatch/remedy_words.h"
#include "pd/dispatch/store_blockers.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::StoreBlockers;
using scheduler::Refusal;

constexpr size_t kListedDefault = 16;

Json ReasonJson(const Refusal& refusal) {
  Json json = Json::object();
  if (refusal.store) json["store_id"] = refusal.store.value;
  json["reason"] = ReasonText(refusal.reason);
  json["text"] = pd::RefusalWords(refusal);
  return json;
}

Json CauseJson(const StoreBlockers::Cause& cause) {
  Json json{{"state", DepartureText(cause.state)},
            {"reason", ReasonText(cause.refusal.reason)},
            {"regions", cause.regions},
            {"text", pd::CauseWords(cause.refusal)}};
  if (cause.rule) json["rule"] = cause.rule->group_id + "/" + cause.rule->id;
  json["unblock"] = cause.remedies;
  json["stores"] = Json::array();
  for (const StoreBlockers::PassedOver& store : cause.stores) {
    json["stores"].push_back(ReasonJson(store.refusal));
    json["stores"].back()["regions"] = store.regions;
  }
  return json;
}

Json BlockersJson(const StoreBlockers& found) {
  Json json{{"region_count", found.regions}, {"checked", found.checked}};
  for (size_t i = 0; i < scheduler::kDepartureStateCount; ++i) {
    json[DepartureText(static_cast<scheduler::DepartureState>(i))] = found.by_state[i];
  }
  json["causes"] = Json::array();
  for (const StoreBlockers::Cause& cause : found.causes) json["causes"].push_back(CauseJson(cause));
  json["regions"] = Json::array();
  for (const StoreBlockers::RegionLine& line : found.listed) {
    json["regions"].push_back({{"region_id", line.region.value},
                               {"state", DepartureText(line.state)},
                               {"reason", ReasonText(line.cause.reason)},
                               {"text", pd::CauseWords(line.cause)}});
  }
  return json;
}

HttpResponse GetBlockers(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return InputError(id.error());
  size_t listed_max = kListedDefault;
  if (const auto text = request.Query("limit"); text && !text->empty()) {
    const auto limit = ParseUint64(*text);
    if (!limit) return InputError(limit.error());
    listed_max = *limit;
  }
  pd::Coordinator& coordinator = routes.coordinator;
  pd::Cluster& cluster = coordinator.cluster();
  const scheduler::StoreId store{*id};
  const auto found = cluster.stores().Find(store);
  if (!found) return ErrorResponse(pd::StoreNotFound(store));
  if (!found->IsRemoving()) {
    const auto max_down = coordinator.config().online()->schedule.max_store_down_time;
    const std::string state = StateName(*found, coordinator.clock().UnixNanos(), max_down);
    return ErrorResponse(
        400, fmt::format("store {} is {}: only what is offline has to be left", *id, state));
  }
  Json json{{"store_id", *id}, {"held_up", Json::array()}};
  for (const Refusal& holdup : coordinator.Holdups()) {
    json["held_up"].push_back(ReasonJson(holdup));
    json["held_up"].back()["unblock"] = pd::RemedyWords(holdup);
  }
  coordinator.Look([&](const scheduler::PlanContext& context) {
    json.update(BlockersJson(FindBlockers(context, cluster.regions(), store, listed_max)));
  });
  return JsonV1(200, json);
}

}  // namespace

void AddStoreBlockerRoutes(Router& router, const SchedulingRoutes& routes) {
  router.Add("GET", "/qm/api/v1/store/{id}/blockers", "GetStoreBlockers",
             WhenScheduling(routes, [routes](const HttpRequest& request) {
               return GetBlockers(routes, request);
             }));
}

}  // namespace api

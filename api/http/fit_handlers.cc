#include <algorithm>

#include "api/http/placement_routes.h"
#include "api/http/region_json.h"
#include "api/http/scheduling_routes.h"
#include "pd/cluster/placement_codec.h"
#include "pd/dispatch/replication_state.h"

// How regions fulfil their placement rules (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::PlanContext;

Json PeersJson(const std::vector<scheduler::Peer>& peers) {
  Json list;
  for (const scheduler::Peer& peer : peers) {
    Json item{{"id", peer.id.value}, {"store_id", peer.store.value}};
    if (peer.role != scheduler::PeerRole::kVoter) item["role"] = static_cast<int>(peer.role);
    if (peer.witness) item["is_witness"] = true;
    list.push_back(std::move(item));
  }
  return list;
}

Json FitJson(const scheduler::RegionFit& fit) {
  Json fits;
  for (const scheduler::RuleFit& rule_fit : fit.rule_fits) {
    const auto witnesses = std::ranges::count_if(rule_fit.peers, &scheduler::Peer::witness);
    fits.push_back({{"rule", pd::RuleToJson(*rule_fit.rule)},
                    {"peers", PeersJson(rule_fit.peers)},
                    {"peers-different-role", PeersJson(rule_fit.different_role)},
                    {"isolation-score", rule_fit.isolation_score},
                    {"witness-score", witnesses}});
  }
  return {{"rule-fits", fits}, {"orphan-peers", PeersJson(fit.orphans)}};
}

HttpResponse GetFit(const SchedulingRoutes& routes, const HttpRequest& request) {
  if (!routes.coordinator.cluster().rules().enabled()) return RulesAreOff();
  const auto region = RegionInPath(routes.coordinator.cluster(), request);
  if (!region) return region.error();
  Json json;
  routes.coordinator.Look(
      [&](const PlanContext& context) { json = FitJson(context.Fit(*region)); });
  return JsonV1(200, json);
}

const char* TextOf(pd::Replication state) {
  switch (state) {
    case pd::Replication::kComplete:
      return "REPLICATED";
    case pd::Replication::kInProgress:
      return "INPROGRESS";
    case pd::Replication::kStuck:
      return "PENDING";
  }
  return "";
}

HttpResponse GetReplicated(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto start_hex = request.Query("startKey");
  const auto end_hex = request.Query("endKey");
  if (!start_hex || !end_hex) return PageNotFound();
  const auto start = ParseHexKey(*start_hex);
  if (!start) return ErrorResponse(400, start.error());
  const auto end = ParseHexKey(*end_hex);
  if (!end) return ErrorResponse(400, end.error());
  pd::Replication state = pd::Replication::kComplete;
  routes.coordinator.Look([&](const PlanContext& context) {
    state = pd::ReplicationOf(context, routes.coordinator.cluster().regions(), {*start, *end});
  });
  return JsonV1(200, Json(TextOf(state)));
}

}  // namespace

void AddFitRoutes(Router& router, const SchedulingRoutes& routes) {
  router.Add("GET", "/pd/api/v1/config/rules/region/{region}/detail", "CheckRegionPlacementRule",
             WhenScheduling(
                 routes, [routes](const HttpRequest& request) { return GetFit(routes, request); }));
  router.Add("GET", "/pd/api/v1/regions/replicated", "CheckRegionsReplicated",
             WhenScheduling(routes, [routes](const HttpRequest& request) {
               return GetReplicated(routes, request);
             }));
}

}  // namespace api

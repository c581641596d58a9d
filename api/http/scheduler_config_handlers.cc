// The settings of schedulers (as in the reference). Each scheduler answers below its own name; what is set and with
// which words is in scheduler_setters.cc.
#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/scheduler_setters.h"
#include "api/http/scheduling_routes.h"
#include "pd/dispatch/hot_region_codec.h"
#include "pd/dispatch/schedule_options.h"
#include "pd/dispatch/scheduler_codec.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::StoreId;
using Entry = pd::SchedulerTable::Entry;

HttpResponse MethodNotAllowed() { return {405, {}, "", {}}; }

/// What a scheduler does with POST .../config; null: it has no settings to change here.
using Setter = HttpResponse (*)(const SchedulingRoutes&, const HttpRequest&, const Entry&);
struct SetterOf {
  Setter operator()(const scheduler::BalanceLeaderConfig&) const { return SetBalanceLeader; }
  Setter operator()(const scheduler::BalanceRegionConfig&) const { return nullptr; }
  Setter operator()(const scheduler::HotRegionConfig&) const { return SetHotRegion; }
  Setter operator()(const scheduler::EvictLeaderConfig&) const { return SetStores; }
  Setter operator()(const scheduler::GrantLeaderConfig&) const { return SetStores; }
  Setter operator()(const scheduler::EvictStoppingStoreConfig&) const { return SetStoppingStore; }
  Setter operator()(const scheduler::EvictSlowStoreConfig&) const { return SetSlowStore; }
  Setter operator()(const scheduler::EvictSlowTrendConfig&) const { return SetSlowTrend; }
  Setter operator()(const scheduler::BalanceWitnessConfig&) const { return SetBalanceWitness; }
  Setter operator()(const scheduler::ScatterRangeConfig&) const { return SetScatterRange; }
  Setter operator()(const scheduler::BalanceRangeConfig&) const { return SetBalanceRange; }
  Setter operator()(const scheduler::GrantHotRegionConfig&) const { return SetGrantHotRegion; }
  Setter operator()(const scheduler::ShuffleHotRegionConfig&) const { return SetShuffleHotRegion; }
  Setter operator()(const scheduler::ShuffleRegionConfig&) const { return nullptr; }
  Setter operator()(const scheduler::ShuffleLeaderConfig&) const { return nullptr; }
  Setter operator()(const scheduler::LabelConfig&) const { return nullptr; }
  Setter operator()(const scheduler::RandomMergeConfig&) const { return nullptr; }
  Setter operator()(const scheduler::TransferWitnessLeaderConfig&) const { return nullptr; }
};

HttpResponse DeleteStore(const SchedulingRoutes& routes, const Entry& entry,
                         std::string_view store) {
  const auto id = ParseUint64(store);
  if (!id) return ErrorResponse(400, id.error());
  return RemoveSchedulerStore(routes, entry.name, StoreId{*id});
}

/// What priorities of loads stores can serve. As in the reference nothing is known while hot regions may not be moved.
scheduler::MeasuredLoads Measured(const SchedulingRoutes& routes) {
  const auto config = routes.coordinator.config().online();
  if (config->schedule.hot_region_schedule_limit == 0) return {false, false};
  const scheduler::ScheduleOptions options =
      pd::MakeScheduleOptions(*config, routes.coordinator.cluster().store_config());
  return {options.stores_count_queries, options.stores_measure_read_cpu};
}

HttpResponse Serve(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto entry = routes.coordinator.schedulers().Find(request.Param("name"));
  if (!entry) return PageNotFound();
  const Setter set = std::visit(SetterOf{}, entry->config);
  const bool shuffles = std::holds_alternative<scheduler::ShuffleRegionConfig>(entry->config);
  if (set == nullptr && !shuffles) {
    return PlainText(200, "not implements").Set("Content-Type", "text/plain; charset=utf-8");
  }
  const std::string_view rest = request.Param("rest");
  if (rest == "list") {
    if (request.method != "GET") return MethodNotAllowed();
    if (const auto* hot = std::get_if<scheduler::HotRegionConfig>(&entry->config)) {
      return JsonV1(200, pd::HotRegionConfigToJson(WithMeasuredPriorities(*hot, Measured(routes))));
    }
    return JsonV1(200, pd::SchedulerConfigToJson(entry->config, entry->disabled));
  }
  if (rest == "config" && set != nullptr) {
    if (request.method != "POST") return MethodNotAllowed();
    return set(routes, request, *entry);
  }
  if (rest == "roles" && shuffles) return ServeRoles(routes, request, *entry);
  if (rest == "job" && set == SetBalanceRange) return ServeRangeJob(routes, request, *entry);
  if (rest.starts_with("delete/") && set == SetStores) {
    if (request.method != "DELETE") return MethodNotAllowed();
    return DeleteStore(routes, *entry, rest.substr(std::string_view("delete/").size()));
  }
  return PageNotFound();
}

/// The name without a slash behind it: the reference's router sends clients on.
HttpResponse Redirect(const SchedulingRoutes& routes, const HttpRequest& request) {
  if (!routes.coordinator.schedulers().Find(request.Param("name"))) return PageNotFound();
  const std::string to = request.path + "/";
  HttpResponse response{
      307, {{"Content-Type", "text/html; charset=utf-8"}, {"Location", to}}, {}, {}};
  if (request.method == "GET") {
    response.body = "<a href=\"" + to + "\">Temporary Redirect</a>.\n\n";
  }
  return response;
}

}  // namespace

void AddSchedulerConfigRoutes(Router& router, const SchedulingRoutes& routes) {
  const auto running = [routes](auto handle) -> HttpHandler {
    return [routes, handle](const HttpRequest& request) {
      if (!routes.serving() || !routes.coordinator.cluster().running()) {
        HttpResponse refused = NotBootstrappedResponse();
        refused.status = 406;
        return refused;
      }
      return handle(routes, request);
    };
  };
  router.Add("*", "/pd/api/v1/scheduler-config/{name}", "HandleSchedulerConfig", running(Redirect));
  router.Add("*", "/pd/api/v1/scheduler-config/{name}/{rest...}", "HandleSchedulerConfig",
             running(Serve));
}

}  // namespace api

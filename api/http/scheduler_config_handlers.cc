// The settings of schedulers (as in the reference). Each scheduler answers below its own name, with words of its own.
#include <cmath>

#include <fmt/format.h>

#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/scheduler_setters.h"
#include "api/http/scheduling_routes.h"
#include "pd/cluster/store_rules.h"
#include "pd/dispatch/hot_region_codec.h"
#include "pd/dispatch/schedule_options.h"
#include "pd/dispatch/scheduler_codec.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::StoreId;
using Entry = pd::SchedulerTable::Entry;

HttpResponse MethodNotAllowed() { return {405, {}, "", {}}; }

/// A whole number under `key` within bounds.
std::optional<uint64_t> WholeIn(const Json& body, const char* key, double low, double high) {
  const auto value = body[key].get<double>();
  if (value < low || value > high || std::floor(value) != value) return {};
  return static_cast<uint64_t>(value);
}

HttpResponse Saved(const pd::Result<void>& updated, const char* text) {
  if (!updated) return ErrorResponse(500, updated.error().context);
  return JsonV1(200, Json(text));
}

template <class Config, class Change>
pd::Result<void> Update(const SchedulingRoutes& routes, const std::string& name, Change change) {
  return routes.coordinator.schedulers().Update(
      name, [&](scheduler::SchedulerConfig& config) -> pd::Result<void> {
        change(std::get<Config>(config));
        return {};
      });
}

/// The batch of balance-leader or balance-witness. `go_type` is what the decoder's error calls the body.
template <class Config>
HttpResponse SetBatch(const SchedulingRoutes& routes, const HttpRequest& request,
                      const Entry& entry, uint64_t batch_max, const char* go_type) {
  const auto body = ParseJson(request.body);
  if (!body) return ErrorResponse(500, body.error().text);
  if (!body->is_object() || !body->contains("batch")) {
    return ErrorResponse(400, "Config item is not found.");
  }
  const Json& value = (*body)["batch"];
  if (!value.is_number()) {
    return ErrorResponse(500, fmt::format("json: cannot unmarshal {} into Go struct field {}.batch "
                                          "of type int",
                                          pd::JsonKind(value), go_type));
  }
  const auto batch = WholeIn(*body, "batch", 1, static_cast<double>(batch_max));
  if (!batch) {
    return ErrorResponse(
        400,
        fmt::format("invalid batch size which should be an integer between 1 and {}", batch_max));
  }
  if (std::get<Config>(entry.config).batch == *batch) {
    return JsonV1(200, Json("Config is the same with origin, so do nothing."));
  }
  return Saved(Update<Config>(routes, entry.name, [&](auto& config) { config.batch = *batch; }),
               "Config is updated.");
}

HttpResponse SetBalanceLeader(const SchedulingRoutes& routes, const HttpRequest& request,
                              const Entry& entry) {
  return SetBatch<scheduler::BalanceLeaderConfig>(routes, request, entry, 100,
                                                  "balanceLeaderSchedulerParam");
}

HttpResponse SetBalanceWitness(const SchedulingRoutes& routes, const HttpRequest& request,
                               const Entry& entry) {
  return SetBatch<scheduler::BalanceWitnessConfig>(routes, request, entry, 10,
                                                   "balanceWitnessSchedulerParam");
}

/// evict-leader takes a store, a batch or both; grant-leader a store.
HttpResponse SetStores(const SchedulingRoutes& routes, const HttpRequest& request,
                       const Entry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  std::optional<uint64_t> batch;
  const bool evicts = std::holds_alternative<scheduler::EvictLeaderConfig>(entry.config);
  if (evicts && body->contains("batch")) {
    if (!(*body)["batch"].is_number()) {
      return ErrorResponse(400,
                           std::string("invalid argument for 'batch': expected a number, got ") +
                               pd::JsonKind((*body)["batch"]));
    }
    batch = WholeIn(*body, "batch", 1, 10);
    if (!batch) return ErrorResponse(400, "batch must be an integer in [1, 10]");
  }
  std::optional<StoreId> store;
  if (body->contains("store_id") && (*body)["store_id"].is_number()) {
    store = StoreId{static_cast<uint64_t>((*body)["store_id"].get<double>())};
    if (!routes.coordinator.cluster().stores().Contains(*store)) {
      return ErrorResponse(500, pd::StoreNotFound(*store).context);
    }
  }
  if (!store && !batch) {
    return ErrorResponse(400, "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config id");
  }
  const auto updated = routes.coordinator.schedulers().Update(
      entry.name, [&](scheduler::SchedulerConfig& config) -> pd::Result<void> {
        const std::vector<scheduler::KeyRange> all{{}};
        if (auto* evict = std::get_if<scheduler::EvictLeaderConfig>(&config)) {
          if (store) evict->stores.try_emplace(*store, all);
          if (batch) evict->batch = *batch;
        } else if (store) {
          std::get<scheduler::GrantLeaderConfig>(config).stores.try_emplace(*store, all);
        }
        return {};
      });
  return Saved(updated, "The scheduler has been applied to the store.");
}

HttpResponse SetSlowStore(const SchedulingRoutes& routes, const HttpRequest& request,
                          const Entry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  scheduler::EvictSlowStoreConfig next = std::get<scheduler::EvictSlowStoreConfig>(entry.config);
  if (body->contains("recovery-duration")) {
    const Json& given = (*body)["recovery-duration"];
    if (!given.is_number() || !(given.get<double>() >= 0) || given.get<double>() > 1e18) {
      return ErrorResponse(400, "invalid argument for 'recovery-duration'");
    }
    next.recovery_duration_s = static_cast<uint64_t>(given.get<double>());
  }
  if (body->contains("batch")) {
    if (!(*body)["batch"].is_number()) {
      return ErrorResponse(400, "invalid argument for 'batch'");
    }
    const auto batch = WholeIn(*body, "batch", 1, 10);
    if (!batch) return ErrorResponse(400, "batch must be an integer in [1, 10]");
    next.batch = *batch;
  }
  if (body->contains("enable-network-slow-store")) {
    const Json& enable = (*body)["enable-network-slow-store"];
    if (!enable.is_boolean()) {
      return ErrorResponse(400, "invalid argument for 'enable-network-slow-store'");
    }
    next.network_slow_store = enable.get<bool>();
  }
  return Saved(Update<scheduler::EvictSlowStoreConfig>(routes, entry.name,
                                                       [&](auto& config) { config = next; }),
               "Config updated.");
}

HttpResponse SetStoppingStore(const SchedulingRoutes& routes, const HttpRequest& request,
                              const Entry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  if (!body->contains("batch")) return JsonV1(200, Json("Config updated."));
  if (!(*body)["batch"].is_number()) return ErrorResponse(400, "invalid argument for 'batch'");
  const auto batch = WholeIn(*body, "batch", 1, 10);
  if (!batch) return ErrorResponse(400, "batch is invalid, it should be in [1, 10]");
  return Saved(Update<scheduler::EvictStoppingStoreConfig>(
                   routes, entry.name, [&](auto& config) { config.batch = *batch; }),
               "Config updated.");
}

/// Plain text instead of JSON strings for success, as the reference's handler for this one.
HttpResponse SetHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                          const Entry& entry) {
  const auto body = ParseJson(request.body);
  if (!body) return ErrorResponse(500, body.error().text);
  auto config = std::get<scheduler::HotRegionConfig>(entry.config);
  const auto change = pd::ReadHotRegionConfig(*body, config);
  if (!change) {
    const bool wrong = change.error().code == pd::ErrorCode::kInvalidArgument;
    return ErrorResponse(wrong ? 400 : 500, change.error().context);
  }
  if (*change == pd::HotRegionChange::kNoneNamed) {
    return PlainText(400, "Config item is not found.");
  }
  if (*change == pd::HotRegionChange::kSame) {
    return PlainText(200, "Config is the same with origin, so do nothing.");
  }
  const auto updated =
      Update<scheduler::HotRegionConfig>(routes, entry.name, [&](auto& kept) { kept = config; });
  if (!updated) return ErrorResponse(500, updated.error().context);
  return PlainText(200, "Config is updated.");
}

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

// The list of schedulers: adding, removing, pausing (as in the reference).
#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/scheduler_params.h"
#include "api/http/scheduler_setters.h"
#include "api/http/scheduling_routes.h"
#include "pd/cluster/store_rules.h"
#include "pd/dispatch/refusal_words.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::StoreId;
using Entry = pd::SchedulerTable::Entry;

constexpr const char* kNotFound = "[PD:scheduler:ErrSchedulerNotFound]scheduler not found";

/// A number of the body as it is written there.
std::string NumberAt(std::string_view body, const std::string& key) {
  const std::array<std::string, 1> way{key};
  const std::string_view upto = body.substr(0, DecoderStop(body, way));
  return std::string(upto.substr(upto.find_last_not_of("+-.0123456789Ee") + 1));
}

std::string Rfc3339(int64_t unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

HttpResponse ListSchedulers(const SchedulingRoutes& routes, const HttpRequest& request) {
  const pd::SchedulerTable& table = routes.coordinator.schedulers();
  const std::string_view status = request.Query("status").value_or("");
  const bool stamps = request.Query("timestamp").has_value();
  Json list = Json::array();
  if (!routes.coordinator.planning()) return JsonV1(200, list);
  for (const Entry& entry : table.All()) {
    const bool paused = table.IsPaused(entry);
    if (status == "disabled" ? !entry.disabled : entry.disabled) continue;
    if (status == "paused" && !paused) continue;
    if (status == "paused" && stamps) {
      list.push_back({{"name", entry.name},
                      {"paused_at", Rfc3339(*entry.paused_at_unix_s)},
                      {"resume_at", Rfc3339(*entry.resume_at_unix_s)}});
    } else {
      list.push_back(entry.name);
    }
  }
  return JsonV1(200, list);
}

scheduler::StoreRanges* StoresOf(scheduler::SchedulerConfig& config) {
  if (auto* evict = std::get_if<scheduler::EvictLeaderConfig>(&config)) return &evict->stores;
  if (auto* grant = std::get_if<scheduler::GrantLeaderConfig>(&config)) return &grant->stores;
  return nullptr;
}

/// evict-leader and grant-leader: one scheduler for all their stores.
HttpResponse AddForStore(const SchedulingRoutes& routes, const scheduler::SchedulerType& type,
                         const Json& body) {
  const auto field = body.find("store_id");
  if (field == body.end()) return ErrorResponse(400, "missing store id");
  const auto id = IdOf(*field);
  if (!id) return ErrorResponse(400, kWrongStoreId);
  const StoreId store{*id};
  if (!routes.coordinator.cluster().stores().Contains(store)) {
    return ErrorResponse(400, pd::StoreNotFound(store).context);
  }
  pd::SchedulerTable& table = routes.coordinator.schedulers();
  const auto put = [&](scheduler::SchedulerConfig& config) -> pd::Result<void> {
    StoresOf(config)->try_emplace(store, std::vector<scheduler::KeyRange>{{}});
    return {};
  };
  if (table.Find(type.name)) {
    const auto updated = table.Update(type.name, put);
    if (!updated) return ErrorResponse(500, updated.error().context);
    return JsonV1(200, Json("The scheduler has been applied to the store."));
  }
  scheduler::SchedulerConfig config = DefaultSchedulerConfig(type);
  (void)put(config);
  const auto added = table.Add(type, std::move(config));
  if (!added) return ErrorResponse(400, added.error().context);
  return JsonV1(200, Json("The scheduler is created."));
}

/// The settings of a new scheduler, from its default ones and the body; or the answer to give.
struct NewConfig {
  const Json& body;
  using Made = ParamOr<scheduler::SchedulerConfig>;

  Made operator()(const scheduler::ScatterRangeConfig&) const { return ReadScatterRange(body); }
  Made operator()(const scheduler::GrantHotRegionConfig&) const { return ReadGrantHotRegion(body); }
  Made operator()(scheduler::ShuffleHotRegionConfig config) const {
    const auto limit = body.find("limit");
    if (limit != body.end() && limit->is_number_unsigned()) config.limit = limit->get<uint64_t>();
    return config;
  }
  template <class Other>
  Made operator()(const Other& config) const {
    return config;
  }
};

/// The two pull hot regions to different places.
std::optional<HttpResponse> RefuseBeside(const SchedulingRoutes& routes, std::string_view name) {
  constexpr std::string_view kBalance = "balance-hot-region-scheduler";
  constexpr std::string_view kGrant = "grant-hot-region-scheduler";
  if (name != kBalance && name != kGrant) return {};
  const std::string_view other = name == kGrant ? kBalance : kGrant;
  if (!routes.coordinator.schedulers().Find(other)) return {};
  return ErrorResponse(400, std::string(other) + " is running, please remove it first");
}

HttpResponse Created(const pd::Result<void>& added) {
  if (!added) return ErrorResponse(400, added.error().context);
  return JsonV1(200, Json("The scheduler is created."));
}

/// balance-range: one scheduler for all jobs.
HttpResponse AddForRange(const SchedulingRoutes& routes, const scheduler::SchedulerType& type,
                         const Json& body) {
  pd::SchedulerTable& table = routes.coordinator.schedulers();
  if (table.Find(type.name)) return AddRangeJobTo(routes, body, type.name);
  if (const auto complete = HasRangeJob(body); !complete) return complete.error();
  const auto job = ReadRangeJob(body);
  if (!job) return job.error();
  scheduler::BalanceRangeConfig config;
  const auto put = AddRangeJob(config.jobs, *job, routes.coordinator.clock().UnixNanos());
  if (!put) return ErrorResponse(400, put.error().context);
  return Created(table.Add(type, std::move(config)));
}

HttpResponse AddScheduler(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto name = StringIn(*body, "name");
  if (!name) return ErrorResponse(400, "missing scheduler name");
  const scheduler::SchedulerType* type = scheduler::FindSchedulerType(*name);
  // Of old names one is still in use.
  const bool known = type != nullptr && (*name == type->name || *name == "scatter-range");
  if (!known) return ErrorResponse(400, "unknown scheduler");
  if (const auto refused = RefuseBeside(routes, type->name)) return *refused;
  scheduler::SchedulerConfig config = DefaultSchedulerConfig(*type);
  if (StoresOf(config) != nullptr) return AddForStore(routes, *type, *body);
  if (std::holds_alternative<scheduler::BalanceRangeConfig>(config)) {
    return AddForRange(routes, *type, *body);
  }
  auto made = std::visit(NewConfig{*body}, config);
  if (!made) return made.error();
  return Created(routes.coordinator.schedulers().Add(*type, *std::move(made)));
}

/// "evict-leader-scheduler-3": the store, if the name has that form.
std::optional<std::pair<std::string, StoreId>> SplitStoreName(std::string_view name) {
  for (const char* base : {"evict-leader-scheduler", "grant-leader-scheduler"}) {
    const std::string prefix = std::string(base) + "-";
    if (!name.starts_with(prefix)) continue;
    const auto id = ParseUint64(name.substr(prefix.size()));
    if (id) return std::pair(std::string(base), StoreId{*id});
  }
  return {};
}

HttpResponse RemoveScheduler(const SchedulingRoutes& routes, const HttpRequest& request) {
  const std::string_view name = request.Param("name");
  if (const auto store = SplitStoreName(name)) {
    const HttpResponse inner = RemoveSchedulerStore(routes, store->first, store->second);
    return JsonV1(inner.status, Json(nullptr));
  }
  const auto removed = routes.coordinator.schedulers().Remove(name);
  if (removed) return JsonV1(200, Json("The scheduler is removed."));
  const bool missing = removed.error().code == pd::ErrorCode::kNotFound;
  return ErrorResponse(missing ? 404 : 500, removed.error().context);
}

HttpResponse PauseScheduler(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto delay = ReadDelay(request, "int64");
  if (!delay) return delay.error();
  const auto paused = routes.coordinator.schedulers().Pause(request.Param("name"), *delay);
  if (!paused) return ErrorResponse(500, paused.error().context);
  return JsonV1(200, Json("Pause or resume the scheduler successfully."));
}

const char* DiagnosticStatus(const pd::DecisionLog::Source& source, bool halted) {
  if (halted) return "halted";
  for (const auto& line : source.lines) {
    if (line.refusal.reason == scheduler::Reason::kPaused) return "paused";
    if (line.refusal.reason == scheduler::Reason::kScheduleLimit) return "pending";
  }
  if (source.proposals_latest > 0) return "scheduling";
  const bool only_balanced = std::ranges::all_of(source.lines, [](const auto& line) {
    return line.refusal.reason == scheduler::Reason::kAlreadyBalanced ||
           line.refusal.reason == scheduler::Reason::kNoRegion;
  });
  return only_balanced ? "normal" : "pending";
}

std::string DiagnosticSummary(const std::string& name, const pd::DecisionLog::Source& source) {
  std::map<std::string, std::set<StoreId>> stores;
  for (const auto& line : source.lines) {
    if (line.refusal.reason == scheduler::Reason::kScheduleLimit) return name + " reach limit";
    if (line.refusal.reason == scheduler::Reason::kNotEnoughRegions ||
        line.refusal.reason == scheduler::Reason::kStoresUnheard) {
      return pd::RefusalWords(line.refusal);
    }
    if (line.refusal.store) stores[ReasonText(line.refusal.reason)].insert(line.refusal.store);
  }
  std::string summary;
  for (const auto& [reason, ids] : stores) {
    summary += std::to_string(ids.size()) + " store(s) " + reason + "; ";
  }
  return summary;
}

HttpResponse Diagnose(const SchedulingRoutes& routes, const HttpRequest& request) {
  const std::string name(request.Param("name"));
  if (name != "balance-leader-scheduler" && name != "balance-region-scheduler") {
    return ErrorResponse(
        500, "[PD:diagnostic:ErrSchedulerUndiagnosable]" + name + " hasn't supported diagnostic");
  }
  const auto config = routes.coordinator.config().online();
  if (!config->schedule.enable_diagnostic) {
    return ErrorResponse(500, "[PD:diagnostic:ErrDiagnosticDisabled]diagnostic is disabled");
  }
  Json json{{"name", name}, {"status", "disabled"}, {"summary", ""}, {"timestamp", 0}};
  json["timestamp"] = routes.coordinator.clock().UnixNanos() / 1'000'000'000;
  if (!routes.coordinator.schedulers().Find(name)) return JsonV1(200, json);
  for (const auto& source : routes.coordinator.decisions().All()) {
    if (source.name != name) continue;
    const std::string status = DiagnosticStatus(source, config->schedule.halt_scheduling);
    json["status"] = status;
    if (status == "pending") json["summary"] = DiagnosticSummary(name, source);
    json["timestamp"] = source.unix_ns / 1'000'000'000;
    return JsonV1(200, json);
  }
  return ErrorResponse(
      500, "[PD:diagnostic:ErrNoDiagnosticResult]" + name + " has no diagnostic result");
}

}  // namespace

tl::expected<int64_t, HttpResponse> ReadDelay(const HttpRequest& request, const char* go_type) {
  const auto body = ReadObject(request);
  if (!body) return tl::unexpected(body.error());
  for (const auto& [key, value] : body->items()) {
    // Larger ones than fit are read as unsigned or as floats.
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() ||
                       value.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()});
    if (fits) continue;
    std::string found = pd::JsonKind(value);
    if (value.is_number()) found += " " + NumberAt(request.body, key);
    return tl::unexpected(TypeError(found, go_type, request.body.size() - 1));
  }
  const auto delay = body->find("delay");
  if (delay == body->end()) return tl::unexpected(ErrorResponse(400, "missing pause time"));
  return delay->get<int64_t>();
}

HttpResponse RemoveSchedulerStore(const SchedulingRoutes& routes, const std::string& name,
                                  StoreId store) {
  constexpr const char* kNoConfig =
      "[PD:scheduler:ErrScheduleConfigNotExist]the config does not exist";
  pd::SchedulerTable& table = routes.coordinator.schedulers();
  if (!table.Find(name)) return ErrorResponse(404, kNotFound);
  using Rest = pd::SchedulerTable::Rest;
  bool known = true;
  const auto rest = table.UpdateOrRemove(name, [&](auto& config) -> pd::Result<Rest> {
    scheduler::StoreRanges& stores = *StoresOf(config);
    known = stores.erase(store) > 0;
    return known && stores.empty() ? Rest::kNothing : Rest::kSome;
  });
  if (!known) return ErrorResponse(404, kNoConfig);
  if (!rest) return ErrorResponse(500, rest.error().context);
  if (*rest == Rest::kNothing) return JsonV1(200, Json("The last store has been deleted"));
  return JsonV1(200, Json(nullptr));
}

void AddSchedulerRoutes(Router& router, const SchedulingRoutes& routes) {
  const auto add = [&](const char* method, const char* pattern, const char* name, auto handle) {
    router.Add(method, pattern, name,
               WhenScheduling(routes, [routes, handle](const HttpRequest& request) {
                 return handle(routes, request);
               }));
  };
  add("GET", "/pd/api/v1/schedulers", "GetSchedulers", ListSchedulers);
  add("POST", "/pd/api/v1/schedulers", "CreateScheduler", AddScheduler);
  add("DELETE", "/pd/api/v1/schedulers/{name}", "DeleteScheduler", RemoveScheduler);
  add("POST", "/pd/api/v1/schedulers/{name}", "PauseOrResumeScheduler", PauseScheduler);
  add("GET", "/pd/api/v1/schedulers/diagnostic/{name}", "GetDiagnosticResult", Diagnose);
}

}  // namespace api

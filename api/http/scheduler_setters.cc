#include "api/http/scheduler_setters.h"

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/scheduler_params.h"
#include "pd/cluster/store_rules.h"
#include "pd/dispatch/hot_region_codec.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::StoreId;

HttpResponse NotWritten(const std::string& text) { return ErrorResponse(500, text); }

/// Changes the settings of one scheduler with `change`, which gets them as what they are, at the moment at which nobody
/// else changes them. An answer of its own says what is wrong. `done` may be changed by it as well. `failed` answers
/// when what it made of them cannot be written.
template <class Config, class Change>
HttpResponse Apply(const SchedulingRoutes& routes, const std::string& name,
                   const HttpResponse& done, Change change,
                   HttpResponse (*failed)(const std::string& text) = NotWritten) {
  std::optional<HttpResponse> answer;
  const auto updated = routes.coordinator.schedulers().Update(
      name, [&](scheduler::SchedulerConfig& config) -> pd::Result<void> {
        answer = change(std::get<Config>(config));
        if (answer) return pd::Fail(pd::ErrorCode::kInvalidArgument, "");
        return {};
      });
  if (answer) return *std::move(answer);
  if (!updated) return failed(updated.error().context);
  return done;
}

using Answer = std::optional<HttpResponse>;

HttpResponse Updated(const char* text) { return JsonV1(200, Json(text)); }

/// A number that is not below zero, made whole.
std::optional<uint64_t> NumberIn(const Json& body, const char* key) {
  constexpr double kMax = 1e18;
  const auto member = body.find(key);
  if (member == body.end() || !member->is_number()) return {};
  const auto value = member->get<double>();
  if (!(value >= 0 && value <= kMax)) return {};
  return static_cast<uint64_t>(value);
}

/// A whole number within bounds.
std::optional<uint64_t> WholeIn(const Json& value, double low, double high) {
  const auto number = value.get<double>();
  if (!(number >= low && number <= high) || std::floor(number) != number) return {};
  return static_cast<uint64_t>(number);
}

/// The batch of a scheduler that evicts, if the body names one. `wrong` is said of a number that is none.
ParamOr<std::optional<uint64_t>> EvictBatchIn(const Json& body, const std::string& no_number,
                                              const char* wrong) {
  constexpr double kMax = 10;
  const auto member = body.find("batch");
  if (member == body.end()) return std::optional<uint64_t>();
  if (!member->is_number()) return tl::unexpected(ErrorResponse(400, no_number));
  const auto batch = WholeIn(*member, 1, kMax);
  if (!batch) return tl::unexpected(ErrorResponse(400, wrong));
  return batch;
}

constexpr const char* kWrongBatch = "batch must be an integer in [1, 10]";

/// The batch of balance-leader or balance-witness. `go_type` is what the decoder's error calls the body.
template <class Config>
HttpResponse SetBatch(const SchedulingRoutes& routes, const HttpRequest& request,
                      const SchedulerEntry& entry, uint64_t batch_max, const char* go_type) {
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
  const auto batch = WholeIn(value, 1, static_cast<double>(batch_max));
  if (!batch) {
    return ErrorResponse(
        400,
        fmt::format("invalid batch size which should be an integer between 1 and {}", batch_max));
  }
  HttpResponse done = Updated("Config is updated.");
  return Apply<Config>(routes, entry.name, done, [&](Config& config) -> Answer {
    if (config.batch == *batch) done = Updated("Config is the same with origin, so do nothing.");
    config.batch = *batch;
    return {};
  });
}

HttpResponse SetRoles(const SchedulingRoutes& routes, const HttpRequest& request,
                      const SchedulerEntry& entry) {
  const auto body = ReadBody(request);
  if (!body) return body.error();
  if (!body->is_array()) {
    return TypeError(pd::JsonKind(*body), "[]string", DecoderStop(request.body, {}));
  }
  for (size_t i = 0; i < body->size(); ++i) {
    if ((*body)[i].is_string()) continue;
    const std::array<std::string, 1> way{std::to_string(i)};
    return TypeError(pd::JsonKind((*body)[i]), "string", DecoderStop(request.body, way));
  }
  const auto roles = pd::RolesFromJson(*body);
  if (!roles) return PlainText(400, roles.error().context);
  return Apply<scheduler::ShuffleRegionConfig>(
      routes, entry.name, PlainText(200, "Config is updated."),
      [&](auto& config) -> Answer {
        config.roles = *roles;
        return {};
      },
      [](const std::string& text) { return PlainText(500, text); });
}

/// An error object without members (as in the reference).
HttpResponse EmptyError(const std::string&) { return JsonV1(500, Json::object()); }

HttpResponse CancelJob(const SchedulingRoutes& routes, const HttpRequest& request,
                       const SchedulerEntry& entry) {
  const auto text = request.Query("job-id");
  if (!text || text->empty()) return ErrorResponse(400, "job-id is required");
  const auto id = ParseUint64(*text);
  if (!id) return ErrorResponse(400, "invalid job-id");
  return Apply<scheduler::BalanceRangeConfig>(
      routes, entry.name, JsonV1(200, Json(nullptr)),
      [&](auto& config) -> Answer {
        const auto now = routes.coordinator.clock().UnixNanos();
        if (CancelRangeJob(config.jobs, *id, now)) return {};
        return EmptyError({});
      },
      EmptyError);
}

}  // namespace

HttpResponse SetBalanceLeader(const SchedulingRoutes& routes, const HttpRequest& request,
                              const SchedulerEntry& entry) {
  return SetBatch<scheduler::BalanceLeaderConfig>(routes, request, entry, 100,
                                                  "balanceLeaderSchedulerParam");
}

HttpResponse SetBalanceWitness(const SchedulingRoutes& routes, const HttpRequest& request,
                               const SchedulerEntry& entry) {
  return SetBatch<scheduler::BalanceWitnessConfig>(routes, request, entry, 10,
                                                   "balanceWitnessSchedulerParam");
}

HttpResponse SetStores(const SchedulingRoutes& routes, const HttpRequest& request,
                       const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  std::optional<uint64_t> batch;
  const bool evicts = std::holds_alternative<scheduler::EvictLeaderConfig>(entry.config);
  if (evicts) {
    const auto read =
        EvictBatchIn(*body,
                     fmt::format("invalid argument for 'batch': expected a number, got {}",
                                 body->contains("batch") ? pd::JsonKind((*body)["batch"]) : ""),
                     kWrongBatch);
    if (!read) return read.error();
    batch = *read;
  }
  std::optional<StoreId> store;
  if (body->contains("store_id") && (*body)["store_id"].is_number()) {
    const auto id = IdOf((*body)["store_id"]);
    if (!id) return ErrorResponse(400, kWrongStoreId);
    store = StoreId{*id};
    if (!routes.coordinator.cluster().stores().Contains(*store)) {
      return ErrorResponse(500, pd::StoreNotFound(*store).context);
    }
  }
  if (!store && !batch) {
    return ErrorResponse(400, "[PD:scheduler:ErrSchedulerConfig]wrong scheduler config id");
  }
  const std::vector<scheduler::KeyRange> all{{}};
  const HttpResponse done = Updated("The scheduler has been applied to the store.");
  if (!evicts) {
    return Apply<scheduler::GrantLeaderConfig>(routes, entry.name, done,
                                               [&](auto& config) -> Answer {
                                                 config.stores.try_emplace(*store, all);
                                                 return {};
                                               });
  }
  return Apply<scheduler::EvictLeaderConfig>(routes, entry.name, done, [&](auto& config) -> Answer {
    if (store) config.stores.try_emplace(*store, all);
    if (batch) config.batch = *batch;
    return {};
  });
}

HttpResponse SetSlowStore(const SchedulingRoutes& routes, const HttpRequest& request,
                          const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  std::optional<uint64_t> recovery_s;
  if (body->contains("recovery-duration")) {
    recovery_s = NumberIn(*body, "recovery-duration");
    if (!recovery_s) return ErrorResponse(400, "invalid argument for 'recovery-duration'");
  }
  const auto batch = EvictBatchIn(*body, "invalid argument for 'batch'", kWrongBatch);
  if (!batch) return batch.error();
  std::optional<bool> network;
  if (const auto enable = body->find("enable-network-slow-store"); enable != body->end()) {
    if (!enable->is_boolean()) {
      return ErrorResponse(400, "invalid argument for 'enable-network-slow-store'");
    }
    network = enable->get<bool>();
  }
  return Apply<scheduler::EvictSlowStoreConfig>(
      routes, entry.name, Updated("Config updated."), [&](auto& config) -> Answer {
        config.recovery_duration_s = recovery_s.value_or(config.recovery_duration_s);
        config.batch = batch->value_or(config.batch);
        config.network_slow_store = network.value_or(config.network_slow_store);
        return {};
      });
}

HttpResponse SetStoppingStore(const SchedulingRoutes& routes, const HttpRequest& request,
                              const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto batch = EvictBatchIn(*body, "invalid argument for 'batch'",
                                  "batch is invalid, it should be in [1, 10]");
  if (!batch) return batch.error();
  return Apply<scheduler::EvictStoppingStoreConfig>(routes, entry.name, Updated("Config updated."),
                                                    [&](auto& config) -> Answer {
                                                      config.batch = batch->value_or(config.batch);
                                                      return {};
                                                    });
}

/// Plain text instead of JSON strings for success, as the reference's handler for this one.
HttpResponse SetHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                          const SchedulerEntry& entry) {
  const auto body = ParseJson(request.body);
  if (!body) return ErrorResponse(500, body.error().text);
  HttpResponse done = PlainText(200, "Config is updated.");
  return Apply<scheduler::HotRegionConfig>(routes, entry.name, done, [&](auto& config) -> Answer {
    const auto change = pd::ReadHotRegionConfig(*body, config);
    if (!change) {
      const bool wrong = change.error().code == pd::ErrorCode::kInvalidArgument;
      return ErrorResponse(wrong ? 400 : 500, change.error().context);
    }
    if (*change == pd::HotRegionChange::kNoneNamed) {
      return PlainText(400, "Config item is not found.");
    }
    if (*change == pd::HotRegionChange::kSame) {
      done = PlainText(200, "Config is the same with origin, so do nothing.");
    }
    return {};
  });
}

HttpResponse SetSlowTrend(const SchedulingRoutes& routes, const HttpRequest& request,
                          const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto seconds = NumberIn(*body, "recovery-duration");
  if (!seconds) return ErrorResponse(400, "invalid argument for 'recovery-duration'");
  return Apply<scheduler::EvictSlowTrendConfig>(routes, entry.name, Updated("Config updated."),
                                                [&](auto& config) -> Answer {
                                                  config.recovery_duration_s = *seconds;
                                                  return {};
                                                });
}

HttpResponse SetScatterRange(const SchedulingRoutes& routes, const HttpRequest& request,
                             const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  return Apply<scheduler::ScatterRangeConfig>(
      routes, entry.name, JsonV1(200, Json(nullptr)), [&](auto& config) -> Answer {
        const auto name = StringIn(*body, "range_name");
        if (name && *name != config.range_name) {
          return ErrorResponse(500, "Cannot change the range name, please delete this schedule");
        }
        // As they are: not escaped here (as in the reference).
        config.range.start = StringIn(*body, "start_key").value_or(config.range.start);
        config.range.end = StringIn(*body, "end_key").value_or(config.range.end);
        if (config.range.end.empty() || config.range.start < config.range.end) return {};
        return ErrorResponse(400, "start_key must be below end_key");
      });
}

HttpResponse SetGrantHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                               const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto next = ReadGrantHotRegionChange(*body);
  if (!next) return next.error();
  return Apply<scheduler::GrantHotRegionConfig>(routes, entry.name, JsonV1(200, Json(nullptr)),
                                                [&](auto& config) -> Answer {
                                                  config = *next;  // The body names both members.
                                                  return {};
                                                });
}

HttpResponse SetShuffleHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                                 const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto limit = NumberIn(*body, "limit");
  if (!limit) return ErrorResponse(400, "invalid limit");
  return Apply<scheduler::ShuffleHotRegionConfig>(routes, entry.name, JsonV1(200, Json(nullptr)),
                                                  [&](auto& config) -> Answer {
                                                    config.limit = *limit;
                                                    return {};
                                                  });
}

HttpResponse SetBalanceRange(const SchedulingRoutes&, const HttpRequest&, const SchedulerEntry&) {
  return ErrorResponse(400, "update config is not supported");
}

HttpResponse ServeRoles(const SchedulingRoutes& routes, const HttpRequest& request,
                        const SchedulerEntry& entry) {
  if (request.method == "POST") return SetRoles(routes, request, entry);
  if (request.method != "GET") return {405, {}, "", {}};
  return JsonV1(200, pd::SchedulerConfigToJson(entry.config, entry.disabled));
}

HttpResponse AddRangeJobTo(const SchedulingRoutes& routes, const Json& body,
                           const std::string& name) {
  const auto job = ReadRangeJob(body);
  if (!job) return job.error();
  return Apply<scheduler::BalanceRangeConfig>(
      routes, name, JsonV1(200, Json(nullptr)), [&](auto& config) -> Answer {
        const auto now = routes.coordinator.clock().UnixNanos();
        const auto added = AddRangeJob(config.jobs, *job, now);
        if (added) return {};
        return ErrorResponse(400, added.error().context);
      });
}

HttpResponse ServeRangeJob(const SchedulingRoutes& routes, const HttpRequest& request,
                           const SchedulerEntry& entry) {
  if (request.method == "DELETE") return CancelJob(routes, request, entry);
  if (request.method != "PUT") return {405, {}, "", {}};
  const auto body = ReadObject(request);
  if (!body) return body.error();
  return AddRangeJobTo(routes, *body, entry.name);
}

}  // namespace api

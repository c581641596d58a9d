#include "api/http/scheduler_setters.h"

#include <array>
#include <string>

#include "api/http/body.h"
#include "api/http/json_body.h"
#include "api/http/scheduler_params.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

/// Changes the settings of one scheduler with `change`, which gets them as what they are.
template <class Config, class Change>
pd::Result<void> Update(const SchedulingRoutes& routes, const std::string& name, Change change) {
  return routes.coordinator.schedulers().Update(
      name, [&](scheduler::SchedulerConfig& config) -> pd::Result<void> {
        return change(std::get<Config>(config));
      });
}

HttpResponse Saved(const pd::Result<void>& updated, const Json& answer) {
  if (!updated) return ErrorResponse(500, updated.error().context);
  return JsonV1(200, answer);
}

/// A number that is not below zero, made whole.
std::optional<uint64_t> NumberIn(const Json& body, const char* key) {
  constexpr double kMax = 1e18;
  const auto member = body.find(key);
  if (member == body.end() || !member->is_number()) return {};
  const auto value = member->get<double>();
  if (!(value >= 0 && value <= kMax)) return {};
  return static_cast<uint64_t>(value);
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
  const auto updated = Update<scheduler::ShuffleRegionConfig>(
      routes, entry.name, [&](auto& config) -> pd::Result<void> {
        config.roles = *roles;
        return {};
      });
  if (!updated) return PlainText(500, updated.error().context);
  return PlainText(200, "Config is updated.");
}

HttpResponse CancelJob(const SchedulingRoutes& routes, const HttpRequest& request,
                       const SchedulerEntry& entry) {
  const auto text = request.Query("job-id");
  if (!text || text->empty()) return ErrorResponse(400, "job-id is required");
  const auto id = ParseUint64(*text);
  if (!id) return ErrorResponse(400, "invalid job-id");
  const auto updated = Update<scheduler::BalanceRangeConfig>(
      routes, entry.name, [&](auto& config) -> pd::Result<void> {
        const auto done = CancelRangeJob(config.jobs, *id, routes.coordinator.clock().UnixNanos());
        if (done) return {};
        return pd::Fail(pd::ErrorCode::kInvalidArgument, done.error().context);
      });
  if (updated) return JsonV1(200, Json(nullptr));
  // An error object without members (as in the reference).
  return JsonV1(500, Json::object());
}

}  // namespace

HttpResponse SetSlowTrend(const SchedulingRoutes& routes, const HttpRequest& request,
                          const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto seconds = NumberIn(*body, "recovery-duration");
  if (!seconds) return ErrorResponse(400, "invalid argument for 'recovery-duration'");
  const auto updated = Update<scheduler::EvictSlowTrendConfig>(
      routes, entry.name, [&](auto& config) -> pd::Result<void> {
        config.recovery_duration_s = *seconds;
        return {};
      });
  return Saved(updated, "Config updated.");
}

HttpResponse SetScatterRange(const SchedulingRoutes& routes, const HttpRequest& request,
                             const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  scheduler::ScatterRangeConfig next = std::get<scheduler::ScatterRangeConfig>(entry.config);
  const auto name = StringIn(*body, "range_name");
  if (name && *name != next.range_name) {
    return ErrorResponse(500, "Cannot change the range name, please delete this schedule");
  }
  // As they are: not escaped here (as in the reference).
  if (auto start = StringIn(*body, "start_key")) next.range.start = *std::move(start);
  if (auto end = StringIn(*body, "end_key")) next.range.end = *std::move(end);
  if (!next.range.end.empty() && next.range.start >= next.range.end) {
    return ErrorResponse(400, "start_key must be below end_key");
  }
  const auto updated = Update<scheduler::ScatterRangeConfig>(routes, entry.name,
                                                             [&](auto& config) -> pd::Result<void> {
                                                               config = next;
                                                               return {};
                                                             });
  return Saved(updated, nullptr);
}

HttpResponse SetGrantHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                               const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto next = ReadGrantHotRegionChange(*body);
  if (!next) return next.error();
  const auto updated = Update<scheduler::GrantHotRegionConfig>(
      routes, entry.name, [&](auto& config) -> pd::Result<void> {
        config = *next;
        return {};
      });
  return Saved(updated, nullptr);
}

HttpResponse SetShuffleHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                                 const SchedulerEntry& entry) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto limit = NumberIn(*body, "limit");
  if (!limit) return ErrorResponse(400, "invalid limit");
  const auto updated = Update<scheduler::ShuffleHotRegionConfig>(
      routes, entry.name, [&](auto& config) -> pd::Result<void> {
        config.limit = *limit;
        return {};
      });
  return Saved(updated, nullptr);
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
  const auto updated =
      Update<scheduler::BalanceRangeConfig>(routes, name, [&](auto& config) -> pd::Result<void> {
        const auto added = AddRangeJob(config.jobs, *job, routes.coordinator.clock().UnixNanos());
        if (added) return {};
        return pd::Fail(pd::ErrorCode::kInvalidArgument, added.error().context);
      });
  if (updated) return JsonV1(200, Json(nullptr));
  const bool wrong = updated.error().code == pd::ErrorCode::kInvalidArgument;
  return ErrorResponse(wrong ? 400 : 500, updated.error().context);
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

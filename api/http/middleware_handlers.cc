#include "api/http/middleware_handlers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHttpSection = "rate-limit";
constexpr std::string_view kGrpcSection = "grpc-rate-limit";

/// Setters that must stay reachable, whatever is limited.
constexpr std::array<std::string_view, 2> kAllowList = {"SetRateLimitConfig",
                                                        "SetGRPCRateLimitConfig"};

Json BoolText(bool value) { return value ? "true" : "false"; }

Json LimitsToJson(const RateLimits& limits) {
  Json all = Json::object();
  for (const auto& [name, limit] : limits.All()) {
    all[name] = {
        {"QPS", limit.qps}, {"QPSBurst", limit.burst}, {"ConcurrencyLimit", limit.concurrency}};
  }
  return all;
}

/// The limits in a saved section; nothing when they are malformed.
std::optional<std::map<std::string, RateLimit>> LimitsFromJson(const Json& section,
                                                               const char* key) {
  std::map<std::string, RateLimit> limits;
  if (!section.contains(key)) return limits;
  if (!section[key].is_object()) return std::nullopt;
  for (const auto& [name, saved] : section[key].items()) {
    const auto number = [&saved](const char* field) {
      const bool there = saved.is_object() && saved.contains(field) && saved[field].is_number();
      return there ? std::max(0.0, saved[field].get<double>()) : 0.0;
    };
    limits[name] = {number("QPS"), static_cast<int64_t>(number("QPSBurst")),
                    static_cast<uint64_t>(number("ConcurrencyLimit"))};
  }
  return limits;
}

/// A switch in a saved section; on when it is not there.
bool SwitchFromJson(const Json& section, const char* key) {
  return !section.is_object() || !section.contains(key) || section[key] != "false";
}

std::string MessageOf(ServiceMiddleware::Change change, const std::string& what) {
  switch (change) {
    case ServiceMiddleware::Change::kUpdated:
      return what + " is updated.";
    case ServiceMiddleware::Change::kNotChanged:
      return what + " is not changed.";
    case ServiceMiddleware::Change::kDeleted:
      return what + " is deleted.";
  }
  return what;
}

std::string TextIn(const Json& input, const char* key) {
  return input.contains(key) && input[key].is_string() ? input[key].get<std::string>() : "";
}

ServiceMiddleware::Wanted WantedIn(const Json& input) {
  ServiceMiddleware::Wanted wanted;
  if (input.contains("qps") && input["qps"].is_number()) {
    wanted.qps = std::max(0.0, input["qps"].get<double>());
  }
  if (input.contains("concurrency") && input["concurrency"].is_number()) {
    wanted.concurrency = static_cast<uint64_t>(std::max(0.0, input["concurrency"].get<double>()));
  }
  return wanted;
}

HttpResponse AnswerChange(const pd::Result<ServiceMiddleware::Change>& change,
                          const std::string& what) {
  if (!change) return PlainText(500, change.error().context);
  return PlainText(200, MessageOf(*change, what));
}

/// The body as an object, or the answer that refuses it.
tl::expected<Json, HttpResponse> ObjectIn(const HttpRequest& request) {
  auto parsed = ParseJson(request.body);
  if (!parsed) {
    return tl::unexpected(InputError(parsed.error().text, {{"Offset", parsed.error().offset}}));
  }
  if (!parsed->is_object()) return tl::unexpected(InputError("a JSON object is wanted"));
  return std::move(*parsed);
}

HttpResponse SetItems(ServiceMiddleware& middleware, const HttpRequest& request) {
  static constexpr const char* kDone = "The service-middleware config is updated.";
  const auto input = ParseJson(request.body);
  if (!input) return PlainText(400, input.error().text);
  if (!input->is_object()) return PlainText(400, "a JSON object is wanted");
  if (input->empty()) return PlainText(200, std::string("The input is empty.") + kDone);
  for (const auto& [name, value] : input->items()) {
    const auto set = middleware.SetItem(name, value);
    if (!set) {
      const bool refused = set.error().code == pd::ErrorCode::kInvalidArgument;
      return PlainText(refused ? 400 : 500, set.error().context);
    }
  }
  return PlainText(200, kDone);
}

/// The API a rate-limit request names, by label or by path; or the answer that refuses it.
tl::expected<std::string, std::string> LabelIn(const Router& router, const Json& input) {
  const std::string type = TextIn(input, "type");
  if (type.empty()) return tl::unexpected<std::string>("The type is empty.");
  if (type == "label") {
    const std::string label = TextIn(input, "label");
    if (label.empty()) return tl::unexpected<std::string>("The label is empty.");
    if (!router.HasName(label)) return tl::unexpected<std::string>("There is no label matched.");
    return label;
  }
  if (type != "path") return tl::unexpected<std::string>("The type is invalid.");
  const std::string path = TextIn(input, "path");
  if (path.empty()) return tl::unexpected<std::string>("The path is empty.");
  const Router::Match match = router.Find(TextIn(input, "method"), path);
  if (match.handler == nullptr) return tl::unexpected<std::string>("There is no label matched.");
  return std::string(match.name);
}

HttpResponse SetHttpLimit(const Router& router, ServiceMiddleware& middleware,
                          const HttpRequest& request) {
  const auto input = ObjectIn(request);
  if (!input) return input.error();
  const auto label = LabelIn(router, *input);
  if (!label) return PlainText(400, label.error());
  if (std::find(kAllowList.begin(), kAllowList.end(), *label) != kAllowList.end()) {
    return PlainText(400, "This service is in allow list whose config can not be changed.");
  }
  return AnswerChange(middleware.SetHttpLimit(*label, WantedIn(*input)), "Rate limiter");
}

HttpResponse SetGrpcLimit(const MethodRegistry& methods, ServiceMiddleware& middleware,
                          const HttpRequest& request) {
  const auto input = ObjectIn(request);
  if (!input) return input.error();
  const std::string label = TextIn(*input, "label");
  if (label.empty()) return PlainText(400, "The label is empty.");
  const bool known =
      std::any_of(methods.methods().begin(), methods.methods().end(), [&](const auto& entry) {
        return entry.second.name == label && entry.second.options.rate_limited == RateLimited::kYes;
      });
  if (!known) return PlainText(400, "There is no label matched.");
  return AnswerChange(middleware.SetGrpcLimit(label, WantedIn(*input)), "gRPC limiter");
}

}  // namespace

pd::Result<void> ServiceMiddleware::Load(const std::string& text) {
  Json saved = Json::object();
  if (!text.empty()) {
    auto parsed = ParseJson(text);
    if (!parsed || !parsed->is_object()) {
      return pd::Fail(pd::ErrorCode::kCorrupt,
                      "the saved service-middleware config is no JSON object");
    }
    saved = std::move(*parsed);
  }
  const Json http = saved.value(kHttpSection, Json::object());
  const Json grpc = saved.value(kGrpcSection, Json::object());
  const auto http_limits = LimitsFromJson(http, "limiter-config");
  const auto grpc_limits = LimitsFromJson(grpc, "grpc-limiter-config");
  if (!http_limits || !grpc_limits) {
    return pd::Fail(pd::ErrorCode::kCorrupt, "the saved rate limits are malformed");
  }
  audit_ = SwitchFromJson(saved.value("audit", Json::object()), "enable-audit");
  http_.SetEnabled(SwitchFromJson(http, "enable-rate-limit"));
  grpc_.SetEnabled(SwitchFromJson(grpc, "enable-grpc-rate-limit"));
  http_.Replace(*http_limits);
  grpc_.Replace(*grpc_limits);
  return {};
}

Json ServiceMiddleware::ToJson() const {
  Json json;
  json["audit"]["enable-audit"] = BoolText(audit_);
  json[kHttpSection]["enable-rate-limit"] = BoolText(http_.enabled());
  json[kHttpSection]["limiter-config"] = LimitsToJson(http_);
  json[kGrpcSection]["enable-grpc-rate-limit"] = BoolText(grpc_.enabled());
  json[kGrpcSection]["grpc-limiter-config"] = LimitsToJson(grpc_);
  return json;
}

pd::Result<void> ServiceMiddleware::SetItem(const std::string& name, const Json& value) {
  const size_t dot = name.find('.');
  const std::string prefix = dot == std::string::npos ? "" : name.substr(0, dot);
  const std::string item = dot == std::string::npos ? name : name.substr(dot + 1);
  const auto refuse = [](std::string text) {
    return pd::Fail(pd::ErrorCode::kInvalidArgument, std::move(text));
  };
  if (!prefix.empty() && prefix != "audit" && prefix != kHttpSection && prefix != kGrpcSection) {
    return refuse("config prefix " + prefix + " not found");
  }
  const auto names = [&](std::string_view section, std::string_view wanted) {
    return item == wanted && (prefix.empty() || prefix == section);
  };
  const bool audit = names("audit", "enable-audit");
  const bool http = names(kHttpSection, "enable-rate-limit");
  const bool grpc = names(kGrpcSection, "enable-grpc-rate-limit");
  if (!audit && !http && !grpc) return refuse("config item " + item + " not found");
  if (value != "true" && value != "false") {
    return refuse("json: invalid use of ,string struct tag, trying to unmarshal " +
                  (value.is_string() ? DumpJson(value, -1) : "unquoted value") + " into bool");
  }
  const bool on = value == "true";
  pd::MutexLock lock(change_mutex_);
  if (audit) audit_ = on;
  if (http) http_.SetEnabled(on);
  if (grpc) grpc_.SetEnabled(on);
  return save_(DumpJson(ToJson(), -1));
}

pd::Result<ServiceMiddleware::Change> ServiceMiddleware::SetHttpLimit(const std::string& name,
                                                                      const Wanted& wanted) {
  return SetLimit(http_, name, wanted);
}

pd::Result<ServiceMiddleware::Change> ServiceMiddleware::SetGrpcLimit(const std::string& name,
                                                                      const Wanted& wanted) {
  return SetLimit(grpc_, name, wanted);
}

pd::Result<ServiceMiddleware::Change> ServiceMiddleware::SetLimit(RateLimits& limits,
                                                                  const std::string& name,
                                                                  const Wanted& wanted) {
  pd::MutexLock lock(change_mutex_);
  const RateLimit before = limits.Get(name).value_or(RateLimit());
  RateLimit after = before;
  if (wanted.qps) {
    after.qps = *wanted.qps;
    // As many at once as in a second, and one at least: half a call a second is one every two seconds.
    after.burst = *wanted.qps > 0 ? std::max<int64_t>(1, static_cast<int64_t>(*wanted.qps)) : 0;
  }
  if (wanted.concurrency) after.concurrency = *wanted.concurrency;
  if (after == before) return Change::kNotChanged;
  limits.Set(name, after);
  if (auto saved = save_(DumpJson(ToJson(), -1)); !saved) return tl::unexpected(saved.error());
  return after == RateLimit() ? Change::kDeleted : Change::kUpdated;
}

void RegisterMiddlewareHandlers(Router& router, const MethodRegistry& methods,
                                ServiceMiddleware& middleware) {
  const std::string path = "/pd/api/v1/service-middleware/config";
  router.Add("GET", path, "GetServiceMiddlewareConfig",
             [&middleware](const HttpRequest&) { return JsonV1(200, middleware.ToJson()); });
  router.Add("POST", path, "SetServiceMiddlewareConfig",
             [&middleware](const HttpRequest& request) { return SetItems(middleware, request); });
  router.Add("POST", path + "/rate-limit", "SetRateLimitConfig",
             [&router, &middleware](const HttpRequest& request) {
               return SetHttpLimit(router, middleware, request);
             });
  router.Add("POST", path + "/grpc-rate-limit", "SetGRPCRateLimitConfig",
             [&methods, &middleware](const HttpRequest& request) {
               return SetGrpcLimit(methods, middleware, request);
             });
}

}  // namespace api

#include "api/http/config_handlers.h"

#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "api/http/body.h"
#include "pd/log/log.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::ConfigSection;

constexpr int64_t kTtlMax = 10LL * 365 * 24 * 3600;
constexpr std::string_view kUpdated = "The config is updated.";

/// Text that the configuration room wrote: it is JSON.
Json Trusted(const std::string& text) { return Json::parse(text); }

HttpResponse GetConfig(pd::PdServer& server) {
  return JsonV1(200, Trusted(pd::ConfigToJson(server.config_store().Effective())));
}

HttpResponse GetDefault() {
  char hostname[256] = "localhost";
  static_cast<void>(gethostname(hostname, sizeof(hostname) - 1));
  pd::Config config;
  if (auto filled = pd::FillDefaults(config, hostname); !filled)
    return ErrorResponse(500, filled.error().context);
  Json json = Trusted(pd::ConfigToJson(config));
  json["label-property"] = nullptr;  // Never filled in the reference's defaults.
  return JsonV1(200, json);
}

/// An error of a change as the item route tells it: 400, but for what the cluster could not do.
HttpResponse RefuseItem(const pd::Error& error) {
  if (error.code == pd::ErrorCode::kInvalidArgument) return ErrorResponse(400, error.context);
  return ErrorResponse(error);
}

HttpResponse SetTemporary(pd::PdServer& server, const Json& items, std::string_view ttl_text) {
  const auto ttl_s = ParseInt64(ttl_text, "Atoi");
  if (!ttl_s) return ErrorResponse(400, ttl_s.error());
  if (*ttl_s > kTtlMax) return ErrorResponse(400, fmt::format("ttlSecond {} is too large", *ttl_s));
  std::map<std::string, std::string> temporary;
  for (const auto& [key, value] : items.items()) {
    if (auto fits = server.config_store().CheckTemporary(key, value.dump()); !fits) {
      return RefuseItem(fits.error());
    }
    temporary[key] = value.dump();
  }
  if (auto set = server.SetTemporaryConfig(temporary, *ttl_s); !set)
    return ErrorResponse(set.error());
  return JsonV1(200,
                Json(*ttl_s == 0 ? "The ttl config is deleted." : "The ttl config is updated."));
}

HttpResponse SetItems(pd::PdServer& server, const HttpRequest& request) {
  const auto parsed = ParseJson(request.body);
  if (!parsed) return ErrorResponse(400, parsed.error().text);
  if (!parsed->is_object()) return ErrorResponse(400, NotAnObjectText(*parsed));
  if (const auto ttl = request.Query("ttlSecond"); ttl && !ttl->empty())
    return SetTemporary(server, *parsed, *ttl);
  for (const auto& [key, value] : parsed->items()) {
    if (auto set = server.config_store().SetItem(key, value.dump()); !set)
      return RefuseItem(set.error());
  }
  return JsonV1(200, Json(kUpdated));
}

HttpResponse GetSection(pd::PdServer& server, ConfigSection section) {
  return JsonV1(200, Trusted(pd::SectionToJson(*server.config_store().lasting(), section)));
}

/// Nothing when all items of the section that `body` names may be set.
std::optional<HttpResponse> RefuseNames(pd::PdServer& server, const Json& body,
                                        ConfigSection section) {
  if (section != ConfigSection::kSchedule) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, value] : body.items()) names.push_back(name);
  const auto allowed = server.config_store().CheckScheduleItems(names);
  if (allowed) return std::nullopt;
  const bool temporary = allowed.error().code == pd::ErrorCode::kConflict;
  return ErrorResponse(temporary ? 400 : 500, allowed.error().context);
}

/// Decoding problems are 400, refused values 500, as in the reference.
HttpResponse SetSection(pd::PdServer& server, const HttpRequest& request, ConfigSection section,
                        std::string_view done) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  if (auto refused = RefuseNames(server, *body, section)) return *std::move(refused);
  bool decoded = false;
  const auto set = server.config_store().Update([&](pd::OnlineConfig& online) {
    auto read = pd::ReadSection(body->dump(), section, online);
    decoded = read.has_value();
    return read;
  });
  if (!set) return ErrorResponse(decoded ? 500 : 400, set.error().context);
  return JsonV1(200, Json(done));
}

HttpResponse SetLabelProperty(pd::PdServer& server, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const std::string action = StringIn(*body, "action").value_or("");
  const std::string type = StringIn(*body, "type").value_or("");
  const pd::StoreLabelEntry label{StringIn(*body, "label-key").value_or(""),
                                  StringIn(*body, "label-value").value_or("")};
  if (action != "set" && action != "delete")
    return ErrorResponse(500, fmt::format("unknown action {}", action));
  const auto set = server.config_store().Update([&](pd::OnlineConfig& online) -> pd::Result<void> {
    auto& labels = online.label_property[type];
    std::erase(labels, label);
    if (action == "set") labels.push_back(label);
    if (labels.empty()) online.label_property.erase(type);
    return {};
  });
  if (!set) return ErrorResponse(500, set.error().context);
  return JsonV1(200, Json(kUpdated));
}

HttpResponse SetClusterVersion(pd::PdServer& server, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto text = StringIn(*body, "cluster-version");
  if (!text) return InputError("not set cluster-version");
  const auto version = pd::ParseVersion(*text);
  if (!version) {
    return JsonV1(
        500,
        Json{{"code", "internal"}, {"msg", version.error().context}, {"data", Json::object()}});
  }
  const auto set = server.config_store().Update([&](pd::OnlineConfig& online) -> pd::Result<void> {
    online.cluster_version = version->Text();
    return {};
  });
  if (!set) return ErrorResponse(500, set.error().context);
  return JsonV1(200, Json("The cluster version is updated."));
}

HttpResponse SetLogLevel(const HttpRequest& request) {
  const auto parsed = ParseJson(request.body);
  if (!parsed) return ErrorResponse(400, parsed.error().text);
  if (!parsed->is_string()) {
    return ErrorResponse(400, "json: cannot unmarshal " + std::string(parsed->type_name()) +
                                  " into Go value of type string");
  }
  const auto level = pd::ParseLogLevel(parsed->get<std::string>());
  if (!level) return ErrorResponse(400, level.error().context);
  pd::SetLogLevel(*level);
  return JsonV1(200, Json("The log level is updated."));
}

void AddSection(Router& router, pd::PdServer& server, std::string_view path, std::string_view name,
                ConfigSection section) {
  router.Add("GET", path, name,
             [&server, section](const HttpRequest&) { return GetSection(server, section); });
}

}  // namespace

void RegisterConfigHandlers(Router& router, pd::PdServer& server) {
  const std::string config = "/pd/api/v1/config";
  router.Add("GET", config, "GetConfig",
             [&server](const HttpRequest&) { return GetConfig(server); });
  router.Add("POST", config, "SetConfig",
             [&server](const HttpRequest& request) { return SetItems(server, request); });
  router.Add("GET", config + "/default", "GetDefaultConfig",
             [](const HttpRequest&) { return GetDefault(); });
  AddSection(router, server, config + "/schedule", "GetScheduleConfig", ConfigSection::kSchedule);
  AddSection(router, server, config + "/pd-server", "GetPDServerConfig", ConfigSection::kPdServer);
  AddSection(router, server, config + "/replicate", "GetReplicationConfig",
             ConfigSection::kReplication);
  AddSection(router, server, config + "/label-property", "GetLabelPropertyConfig",
             ConfigSection::kLabelProperty);
  AddSection(router, server, config + "/replication-mode", "GetReplicationModeConfig",
             ConfigSection::kReplicationMode);
  router.Add("POST", config + "/schedule", "SetScheduleConfig",
             [&server](const HttpRequest& request) {
               return SetSection(server, request, ConfigSection::kSchedule, kUpdated);
             });
  router.Add("POST", config + "/replicate", "SetReplicationConfig",
             [&server](const HttpRequest& request) {
               return SetSection(server, request, ConfigSection::kReplication, kUpdated);
             });
  router.Add("POST", config + "/replication-mode", "SetReplicationModeConfig",
             [&server](const HttpRequest& request) {
               return SetSection(server, request, ConfigSection::kReplicationMode,
                                 "The replication mode config is updated.");
             });
  router.Add("POST", config + "/label-property", "SetLabelPropertyConfig",
             [&server](const HttpRequest& request) { return SetLabelProperty(server, request); });
  router.Add("GET", config + "/cluster-version", "GetClusterVersion",
             [&server](const HttpRequest&) {
               return JsonV1(200, Json(server.config_store().online()->cluster_version));
             });
  router.Add("POST", config + "/cluster-version", "SetClusterVersion",
             [&server](const HttpRequest& request) { return SetClusterVersion(server, request); });
  router.Add("POST", "/pd/api/v1/admin/log", "SetLogLevel",
             [](const HttpRequest& request) { return SetLogLevel(request); });
}

}  // namespace api

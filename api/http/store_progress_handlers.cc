#include <string>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"

// How far stores are that leave or are new (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::StoreProgress;

HttpResponse NotFound(const std::string& what) {
  return ErrorResponse(
      404, fmt::format("[PD:progress:ErrProgressNotFound]no progress found for the {}", what));
}

/// The speed is in MiB a second, as sizes of regions are.
HttpResponse Answer(const StoreProgress::Report& report) {
  Json json{{"action", StoreProgress::NameOf(report.action)}};
  if (report.store) json["store_id"] = report.store.value;
  json["progress"] = report.fraction;
  json["current_speed"] = report.speed_mib_per_s;
  json["left_seconds"] = report.left_s;
  return JsonV1(200, json);
}

HttpResponse GetProgress(const ClusterRoutes& routes, const HttpRequest& request) {
  const StoreProgress& progress = routes.cluster.stores().progress();
  if (const auto text = request.Query("id"); text && !text->empty()) {
    const auto id = ParseUint64(*text);
    if (!id) {
      return InputError(id.error(),
                        {{"Func", "ParseUint"}, {"Num", *text}, {"Err", Json::object()}});
    }
    const auto report = progress.Find({*id});
    return report ? Answer(*report) : NotFound(fmt::format("given store ID: {}", *id));
  }
  const auto name = request.Query("action");
  if (!name || name->empty()) return ErrorResponse(400, "need query parameters");
  for (const auto action : {StoreProgress::Action::kRemoving, StoreProgress::Action::kPreparing}) {
    if (*name != StoreProgress::NameOf(action)) continue;
    if (const auto mean = progress.MeanOf(action)) return Answer(*mean);
  }
  return NotFound(fmt::format("action: {}", *name));
}

}  // namespace

void AddStoreProgressRoutes(Router& router, const ClusterRoutes& routes) {
  router.Add("GET", "/pd/api/v1/stores/progress", "GetStoresProgress",
             WhenRunning(routes, [routes](const HttpRequest& request) {
               return GetProgress(routes, request);
             }));
}

}  // namespace api

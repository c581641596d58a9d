// Pausing checkers (as in the reference).
#include "api/http/scheduling_routes.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

HttpResponse NoSuchChecker() {
  return ErrorResponse(500, "[PD:checker:ErrCheckerNotFound]checker not found");
}

HttpResponse GetChecker(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto kind = scheduler::CheckerByName(request.Param("name"));
  if (!kind) return NoSuchChecker();
  return JsonV1(200, Json{{"paused", routes.coordinator.IsCheckerPaused(*kind)}});
}

HttpResponse PauseChecker(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto delay = ReadDelay(request, "int");
  if (!delay) return delay.error();
  if (*delay < 0) return ErrorResponse(400, "delay cannot be negative");
  const auto kind = scheduler::CheckerByName(request.Param("name"));
  if (!kind) return NoSuchChecker();
  routes.coordinator.PauseChecker(*kind, *delay);
  return JsonV1(200, Json(*delay == 0 ? "Resume the checker successfully."
                                      : "Pause the checker successfully."));
}

}  // namespace

void AddCheckerRoutes(Router& router, const SchedulingRoutes& routes) {
  router.Add("GET", "/pd/api/v1/checker/{name}", "GetCheckerStatus",
             WhenScheduling(routes, [routes](const HttpRequest& request) {
               return GetChecker(routes, request);
             }));
  router.Add("POST", "/pd/api/v1/checker/{name}", "PauseOrResumeChecker",
             WhenScheduling(routes, [routes](const HttpRequest& request) {
               return PauseChecker(routes, request);
             }));
}

}  // namespace api

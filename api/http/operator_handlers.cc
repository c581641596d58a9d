// Reading and cancelling operators (as in the reference).
#include "api/convert/operator_text.h"
#include "api/http/response.h"
#include "api/http/scheduling_routes.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNotFound = "[PD:operator:ErrOperatorNotFound]operator not found";

HttpResponse ListOperators(const SchedulingRoutes& routes, const HttpRequest& request) {
  const bool objects = request.Query("object").has_value();
  const std::vector<pd::OperatorInfo> running = routes.coordinator.operators().Running();
  const pd::Nanos start = routes.coordinator.process_start();
  Json list = Json::array();
  const auto add = [&](const pd::OperatorInfo& info) {
    list.push_back(objects ? OperatorJson(info) : Json(OperatorText(info, start)));
  };
  const std::vector<std::string_view> kinds = request.QueryAll("kind");
  if (kinds.empty()) {
    for (const pd::OperatorInfo& info : running) add(info);
    return JsonV1(200, list);
  }
  // Once for each kind asked for; nothing waits here, so "waiting" is always empty.
  for (const std::string_view name : kinds) {
    const scheduler::Kind kind = name == "admin" || name == "leader" || name == "region"
                                     ? scheduler::KindFromText(std::string(name))
                                     : scheduler::Kind::kNone;
    for (const pd::OperatorInfo& info : running) {
      if (Has(info.op.plan().kind, kind)) add(info);
    }
  }
  return JsonV1(200, list.empty() && !objects ? Json(nullptr) : list);
}

HttpResponse GetOperator(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("region_id"));
  if (!id) return ErrorResponse(400, id.error());
  const auto info = routes.coordinator.operators().Find({*id});
  if (!info) return ErrorResponse(500, kNotFound);
  return JsonV1(200, Json(OperatorStatusText(*info, routes.coordinator.process_start())));
}

HttpResponse DeleteOperator(const SchedulingRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("region_id"));
  if (!id) return ErrorResponse(400, id.error());
  if (!routes.coordinator.operators().Cancel({*id}, scheduler::CancelReason::kAdminStop)) {
    return ErrorResponse(500, kNotFound);
  }
  return JsonV1(200, Json("The pending operator is canceled."));
}

HttpResponse DeleteOperators(const SchedulingRoutes& routes) {
  routes.coordinator.operators().CancelAll(scheduler::CancelReason::kAdminStop);
  return JsonV1(200, Json("All pending operators are canceled."));
}

HttpResponse ListRecords(const SchedulingRoutes& routes, const HttpRequest& request) {
  int64_t from = 0;
  if (const auto text = request.Query("from"); text && !text->empty()) {
    const auto parsed = ParseInt64(*text);
    if (!parsed) return ErrorResponse(400, parsed.error());
    from = *parsed;
  }
  Json list = Json::array();
  for (const pd::OperatorInfo& info : routes.coordinator.operators().Records(from)) {
    list.push_back(OperatorRecordText(info, routes.coordinator.process_start()));
  }
  if (list.empty()) return ErrorResponse(500, kNotFound);
  return JsonV1(200, list);
}

}  // namespace

HttpHandler WhenScheduling(const SchedulingRoutes& routes, HttpHandler handler) {
  return [routes, handler = std::move(handler)](const HttpRequest& request) {
    if (!routes.serving() || !routes.coordinator.cluster().running()) {
      return NotBootstrappedResponse();
    }
    return handler(request);
  };
}

void AddOperatorRoutes(Router& router, const SchedulingRoutes& routes) {
  const auto add = [&](const char* method, const char* pattern, const char* name, auto handle) {
    router.Add(method, pattern, name,
               WhenScheduling(routes, [routes, handle](const HttpRequest& request) {
                 return handle(routes, request);
               }));
  };
  add("GET", "/pd/api/v1/operators", "GetOperators", ListOperators);
  add("POST", "/pd/api/v1/operators", "CreateOperator", CreateOperator);
  add("DELETE", "/pd/api/v1/operators", "DeleteOperators",
      [](const SchedulingRoutes& all, const HttpRequest&) { return DeleteOperators(all); });
  add("GET", "/pd/api/v1/operators/records", "GetOperatorRecords", ListRecords);
  add("GET", "/pd/api/v1/operators/{region_id}", "GetOperatorsByRegion", GetOperator);
  add("DELETE", "/pd/api/v1/operators/{region_id}", "DeleteOperatorByRegion", DeleteOperator);
}

void AddSchedulingRoutes(Router& router, const SchedulingRoutes& routes) {
  AddOperatorRoutes(router, routes);
  AddSchedulerRoutes(router, routes);
  AddSchedulerConfigRoutes(router, routes);
  AddCheckerRoutes(router, routes);
  AddFitRoutes(router, routes);
  AddRegionJobRoutes(router, routes);
  AddDecisionRoutes(router, routes);
  AddStoreBlockerRoutes(router, routes);
}

}  // namespace api

// Why operators run and why others do not: the reasons of planning, for people and the dashboard.
#include "api/http/scheduling_routes.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kEndedMax = 100;

int64_t MillisOf(int64_t unix_ns) { return unix_ns / 1'000'000; }

Json StepsJson(const scheduler::Operator& op) {
  Json steps = Json::array();
  for (size_t i = 0; i < op.plan().steps.size(); ++i) {
    steps.push_back({{"text", StepText(op.plan().steps[i])}, {"done", i < op.current_step()}});
  }
  return steps;
}

Json OperatorJson(const pd::OperatorInfo& info) {
  const scheduler::Operator& op = info.op;
  const scheduler::Proposal& plan = op.plan();
  Json json{{"region_id", plan.region.value},
            {"desc", plan.desc},
            {"brief", plan.brief},
            {"why", plan.why},
            {"kind", KindText(plan.kind)},
            {"priority", PriorityText(plan.priority)},
            {"status", StatusText(op.status())},
            {"size_mib", plan.size_mib},
            {"timeout_ms", plan.Timeout().count()},
            {"created_ms", MillisOf(info.created.unix_ns)},
            {"current_step", op.current_step()},
            {"steps", StepsJson(op)}};
  if (info.started) json["started_ms"] = MillisOf(info.started->unix_ns);
  if (info.ended) json["ended_ms"] = MillisOf(info.ended->unix_ns);
  if (op.cancel_reason() != scheduler::CancelReason::kNone) {
    json["cancel_reason"] = CancelReasonText(op.cancel_reason());
  }
  return json;
}

HttpResponse ListOperators(const SchedulingRoutes& routes) {
  Json json{{"running", Json::array()}, {"ended", Json::array()}};
  for (const auto& info : routes.coordinator.operators().Running()) {
    json["running"].push_back(OperatorJson(info));
  }
  const auto ended = routes.coordinator.operators().Records(0);
  for (size_t i = 0; i < ended.size() && i < kEndedMax; ++i) {
    json["ended"].push_back(OperatorJson(ended[ended.size() - 1 - i]));  // The latest first.
  }
  return JsonV1(200, json);
}

Json LineJson(const pd::DecisionLog::Line& line) {
  return {{"reason", ReasonText(line.refusal.reason)},
          {"store_id", line.refusal.store.value},
          {"region_id", line.refusal.region.value},
          {"value", line.refusal.value},
          {"bound", line.refusal.bound},
          {"detail", line.refusal.detail},
          {"times", line.refusal.times},
          {"time_ms", MillisOf(line.unix_ns)}};
}

HttpResponse ListDecisions(const SchedulingRoutes& routes) {
  Json list = Json::array();
  for (const pd::DecisionLog::Source& source : routes.coordinator.decisions().All()) {
    Json lines = Json::array();
    for (const auto& line : source.lines) lines.push_back(LineJson(line));
    list.push_back({{"source", source.name},
                    {"time_ms", MillisOf(source.unix_ns)},
                    {"runs", source.runs},
                    {"proposals", source.proposals},
                    {"refusals", std::move(lines)}});
  }
  return JsonV1(200, list);
}

}  // namespace

void AddDecisionRoutes(Router& router, const SchedulingRoutes& routes) {
  router.Add(
      "GET", "/qm/api/v1/operators", "GetOperatorReasons",
      WhenScheduling(routes, [routes](const HttpRequest&) { return ListOperators(routes); }));
  router.Add(
      "GET", "/qm/api/v1/decisions", "GetDecisions",
      WhenScheduling(routes, [routes](const HttpRequest&) { return ListDecisions(routes); }));
}

}  // namespace api

#include <set>
#include <utility>

#include "api/http/body.h"
#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "pd/cluster/region_label_codec.h"

// Region label rules and the labels of regions (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::LabelRule;

Json RulesJson(const std::vector<LabelRule>& rules) {
  Json list = Json::array();
  for (const LabelRule& rule : rules) list.push_back(pd::LabelRuleToJson(rule));
  return list;
}

HttpResponse Null(int status) { return JsonV1(status, Json(nullptr)); }

HttpResponse GetRules(const ClusterRoutes& routes, const HttpRequest&) {
  return JsonV1(200, RulesJson(routes.cluster.labels().All()));
}

HttpResponse GetRulesById(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto ids = ReadBody(request);
  if (!ids) return ids.error();
  if (!ids->is_array() && !ids->is_null()) return TypeError(pd::JsonKind(*ids), "[]string", 1);
  std::vector<LabelRule> rules;
  std::set<std::string> asked;  // Each once: an answer is not larger than all rules are.
  for (const Json& id : *ids) {
    if (!id.is_string()) return TypeError(pd::JsonKind(id), "string", 1);
    if (!asked.insert(id.get<std::string>()).second) continue;
    if (auto rule = routes.cluster.labels().Find(id.get<std::string>())) {
      rules.push_back(*std::move(rule));
    }
  }
  return JsonV1(200, RulesJson(rules));
}

HttpResponse GetRule(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto rule = routes.cluster.labels().Find(request.Param("id"));
  return rule ? JsonV1(200, pd::LabelRuleToJson(*rule)) : Null(404);
}

HttpResponse SetRule(const ClusterRoutes& routes, const HttpRequest& request) {
  auto draft = ReadAs(request, pd::ReadLabelRuleDraft);
  if (!draft) return draft.error();
  auto rule = pd::MakeLabelRule(*std::move(draft), routes.cluster.clock().UnixNanos());
  if (!rule) return ErrorResponse(rule.error());
  pd::RegionLabels::Patch patch;
  patch.sets.push_back(*std::move(rule));
  const auto done = routes.cluster.labels().Apply(std::move(patch));
  return done ? JsonV1(200, Json("Update region label rule successfully."))
              : ErrorResponse(done.error());
}

struct PatchDraft {
  std::vector<pd::LabelRuleDraft> sets;
  std::vector<std::string> deletes;
};

pd::JsonResult<PatchDraft> ReadPatch(const Json& json) {
  PatchDraft draft;
  pd::JsonMembers members(json, "LabelRulePatch", "labeler.LabelRulePatch");
  members.ReadList("sets", draft.sets, "*labeler.LabelRule", pd::ReadLabelRuleDraft);
  members.Read("deletes", draft.deletes);
  return members.Result(std::move(draft));
}

HttpResponse PatchRules(const ClusterRoutes& routes, const HttpRequest& request) {
  auto draft = ReadAs(request, ReadPatch);
  if (!draft) return draft.error();
  pd::RegionLabels::Patch patch;
  patch.deletes = std::move(draft->deletes);
  for (pd::LabelRuleDraft& item : draft->sets) {
    auto rule = pd::MakeLabelRule(std::move(item), routes.cluster.clock().UnixNanos());
    if (!rule) return ErrorResponse(rule.error());
    patch.sets.push_back(*std::move(rule));
  }
  const auto done = routes.cluster.labels().Apply(std::move(patch));
  return done ? JsonV1(200, Json("Update region label rules successfully."))
              : ErrorResponse(done.error());
}

HttpResponse DeleteRule(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto done = routes.cluster.labels().Delete(std::string(request.Param("id")));
  return done ? PlainText(200, "Delete rule successfully.") : ErrorResponse(done.error());
}

/// The labels of the region in the path, or the answer to give.
tl::expected<std::map<std::string, std::string>, HttpResponse> LabelsOfRegion(
    const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return tl::unexpected(ErrorResponse(400, id.error()));
  const auto region = routes.cluster.regions().Find(scheduler::RegionId{*id});
  if (!region) return tl::unexpected(Null(404));
  return routes.cluster.labels().LabelsOf(*region);
}

HttpResponse GetRegionLabels(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto labels = LabelsOfRegion(routes, request);
  if (!labels) return labels.error();
  Json list = Json::array();
  for (const auto& [key, value] : *labels) list.push_back({{"key", key}, {"value", value}});
  return JsonV1(200, list);
}

HttpResponse GetRegionLabel(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto labels = LabelsOfRegion(routes, request);
  if (!labels) return labels.error();
  const auto found = labels->find(std::string(request.Param("key")));
  return JsonV1(200, Json(found == labels->end() ? std::string() : found->second));
}

}  // namespace

void AddRegionLabelRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto add = [&](const char* method, const char* path, const char* name, Handler handler) {
    router.Add(method, path, name,
               WhenRunning(routes, [routes, handler](const HttpRequest& request) {
                 return handler(routes, request);
               }));
  };
  constexpr const char* kRules = "/pd/api/v1/config/region-label/rules";
  constexpr const char* kRule = "/pd/api/v1/config/region-label/rule/{id}";
  add("GET", kRules, "GetAllRegionLabelRules", GetRules);
  add("PATCH", kRules, "PatchRegionLabelRules", PatchRules);
  add("GET", "/pd/api/v1/config/region-label/rules/ids", "GetRegionLabelRulesByIDs", GetRulesById);
  add("POST", "/pd/api/v1/config/region-label/rule", "SetRegionLabelRule", SetRule);
  add("GET", kRule, "GetRegionLabelRuleByID", GetRule);
  add("DELETE", kRule, "DeleteRegionLabelRule", DeleteRule);
  add("GET", "/pd/api/v1/region/id/{id}/labels", "GetRegionLabels", GetRegionLabels);
  add("GET", "/pd/api/v1/region/id/{id}/label/{key}", "GetRegionLabelByKey", GetRegionLabel);
}

}  // namespace api

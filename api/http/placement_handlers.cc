#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "api/http/body.h"
#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "api/http/placement_routes.h"
#include "api/http/region_json.h"
#include "pd/cluster/placement_codec.h"

// Placement rules, their groups, and bundles: a group together with its rules (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::BundleDraft;
using pd::PlacementRules;
using pd::RuleDraft;
using scheduler::Rule;
using scheduler::RuleGroup;
using scheduler::RuleKey;
using scheduler::RuleSet;

template <class T>
using OrAnswer = tl::expected<T, HttpResponse>;

HttpResponse Done(const pd::Result<void>& done, const char* text) {
  return done ? JsonV1(200, Json(text)) : ErrorResponse(done.error());
}

// ---- Rules

/// By group id, index and id (as in the reference); null for none where the reference says so.
Json ListOf(const RuleSet& set, const std::string* group = nullptr) {
  std::vector<const Rule*> rules;
  for (const auto& [key, rule] : set.rules) {
    if (group == nullptr || key.group_id == *group) rules.push_back(&rule);
  }
  std::ranges::stable_sort(rules, {}, [](const Rule* rule) {
    return std::pair(std::string_view(rule->group_id), rule->index);
  });
  Json list = group != nullptr && rules.empty() ? Json() : Json::array();
  for (const Rule* rule : rules) list.push_back(pd::RuleToJson(*rule));
  return list;
}

Json ListOf(const std::vector<const Rule*>& rules) {
  Json list = Json::array();
  for (const Rule* rule : rules) list.push_back(pd::RuleToJson(*rule));
  return list;
}

HttpResponse GetRules(const ClusterRoutes& routes, const HttpRequest&) {
  return JsonV1(200, ListOf(*routes.cluster.rules().set()));
}

HttpResponse GetRulesOfGroup(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string group(request.Param("group"));
  return JsonV1(200, ListOf(*routes.cluster.rules().set(), &group));
}

HttpResponse GetRulesOfRegion(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto region = RegionInPath(routes.cluster, request);
  if (!region) return region.error();
  const PlacementRules::Book book = routes.cluster.rules().book();
  return JsonV1(200, ListOf(book->RulesFor(*region)));
}

HttpResponse GetRulesOfKey(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto key = ParseHexKey(request.Param("key"));
  if (!key) {
    return ErrorResponse(400,
                         "[PD:placement:ErrKeyFormat]key should be in hex format, " + key.error());
  }
  return JsonV1(200, ListOf(routes.cluster.rules().book()->RulesAt(*key)));
}

HttpResponse GetRule(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto set = routes.cluster.rules().set();
  const auto found =
      set->rules.find({std::string(request.Param("group")), std::string(request.Param("id"))});
  if (found == set->rules.end()) {
    return ErrorResponse(404, "[PD:placement:ErrRuleNotFound]rule not found");
  }
  return JsonV1(200, pd::RuleToJson(found->second));
}

/// The drafts as rules, checked against the cluster.
OrAnswer<std::vector<Rule>> MakeAll(const ClusterRoutes& routes, std::vector<RuleDraft> drafts,
                                    const std::string& group = "") {
  const pd::RuleChecks checks = routes.cluster.rules().Checks();
  std::vector<Rule> rules;
  for (RuleDraft& draft : drafts) {
    auto rule = pd::MakeRule(std::move(draft), checks, group);
    if (!rule) return tl::unexpected(ErrorResponse(rule.error()));
    rules.push_back(*std::move(rule));
  }
  return rules;
}

HttpResponse SetAll(const ClusterRoutes& routes, std::vector<RuleDraft> drafts, const char* text) {
  auto rules = MakeAll(routes, std::move(drafts));
  if (!rules) return rules.error();
  const auto done = routes.cluster.rules().Change([&](PlacementRules::Editor& editor) {
    for (Rule& rule : *rules) editor.Set(std::move(rule));
  });
  return Done(done, text);
}

HttpResponse SetRule(const ClusterRoutes& routes, const HttpRequest& request) {
  auto draft = ReadAs(request, pd::ReadRuleDraft);
  if (!draft) return draft.error();
  return SetAll(routes, {*std::move(draft)}, "Update rule successfully.");
}

HttpResponse SetRules(const ClusterRoutes& routes, const HttpRequest& request) {
  auto drafts = ReadAs(request, pd::ReadRuleDrafts);
  if (!drafts) return drafts.error();
  return SetAll(routes, *std::move(drafts), "Update rules successfully.");
}

HttpResponse DeleteRule(const ClusterRoutes& routes, const HttpRequest& request) {
  const RuleKey key{std::string(request.Param("group")), std::string(request.Param("id"))};
  const auto done =
      routes.cluster.rules().Change([&](PlacementRules::Editor& editor) { editor.Delete(key); });
  return Done(done, "Delete rule successfully.");
}

/// In their order. An action that nobody knows does nothing (as in the reference).
HttpResponse ChangeRules(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto drafts = ReadAs(request, pd::ReadRuleDrafts);
  if (!drafts) return drafts.error();
  const pd::RuleChecks checks = routes.cluster.rules().Checks();
  std::vector<std::function<void(PlacementRules::Editor&)>> changes;
  for (const RuleDraft& draft : *drafts) {
    if (draft.action == "add") {
      auto rule = pd::MakeRule(draft, checks);
      if (!rule) return ErrorResponse(rule.error());
      changes.emplace_back([made = *std::move(rule)](auto& editor) { editor.Set(made); });
    } else if (draft.action == "del" && draft.delete_by_id_prefix) {
      changes.emplace_back([&draft](auto& editor) {
        editor.DeleteIf([&draft](const RuleKey& key) {
          return key.group_id == draft.group_id && key.id.starts_with(draft.id);
        });
      });
    } else if (draft.action == "del") {
      changes.emplace_back([&draft](auto& editor) { editor.Delete({draft.group_id, draft.id}); });
    }
  }
  const auto done = routes.cluster.rules().Change([&](PlacementRules::Editor& editor) {
    for (const auto& change : changes) change(editor);
  });
  return Done(done, "Batch operations successfully.");
}

// ---- Groups

HttpResponse GetGroups(const ClusterRoutes& routes, const HttpRequest&) {
  Json list = Json::array();
  for (const RuleGroup& group : routes.cluster.rules().set()->AllGroups()) {
    list.push_back(pd::RuleGroupToJson(group));
  }
  return JsonV1(200, list);
}

HttpResponse GetGroup(const ClusterRoutes& routes, const HttpRequest& request) {
  for (const RuleGroup& group : routes.cluster.rules().set()->AllGroups()) {
    if (group.id == request.Param("id")) return JsonV1(200, pd::RuleGroupToJson(group));
  }
  return JsonV1(404, Json());
}

HttpResponse SetGroup(const ClusterRoutes& routes, const HttpRequest& request) {
  auto group = ReadAs(request, pd::ReadRuleGroup);
  if (!group) return group.error();
  const auto done = routes.cluster.rules().Change(
      [&](PlacementRules::Editor& editor) { editor.SetGroup(*std::move(group)); });
  return Done(done, "Update rule group successfully.");
}

HttpResponse DeleteGroup(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string id(request.Param("id"));
  const auto done = routes.cluster.rules().Change(
      [&](PlacementRules::Editor& editor) { editor.DeleteGroup(id); });
  return Done(done, "Delete rule group successfully.");
}

// ---- Bundles

Json BundleJson(const RuleSet& set, const RuleGroup& group) {
  return {{"group_id", group.id},
          {"group_index", group.index},
          {"group_override", group.overrides},
          {"rules", ListOf(set, &group.id)}};
}

HttpResponse GetBundles(const ClusterRoutes& routes, const HttpRequest&) {
  const auto set = routes.cluster.rules().set();
  Json list = Json::array();
  for (const RuleGroup& group : set->AllGroups()) list.push_back(BundleJson(*set, group));
  return JsonV1(200, list);
}

HttpResponse GetBundle(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto set = routes.cluster.rules().set();
  return JsonV1(200, BundleJson(*set, set->GroupOf(std::string(request.Param("group")))));
}

struct Bundle {
  RuleGroup group;
  std::vector<Rule> rules;
};

OrAnswer<Bundle> MakeBundle(const ClusterRoutes& routes, BundleDraft draft) {
  auto rules = MakeAll(routes, std::move(draft.rules), draft.group_id);
  if (!rules) return tl::unexpected(rules.error());
  return Bundle{{std::move(draft.group_id), draft.index, draft.overrides}, *std::move(rules)};
}

/// The group has these rules afterwards, and no others.
void Put(const Bundle& bundle, PlacementRules::Editor& editor) {
  std::set<std::string_view> ids;
  for (const Rule& rule : bundle.rules) ids.insert(rule.id);
  editor.DeleteIf(
      [&](const RuleKey& key) { return key.group_id == bundle.group.id && !ids.contains(key.id); });
  for (const Rule& rule : bundle.rules) editor.Set(rule);
  editor.SetGroup(bundle.group);
}

HttpResponse SetBundles(const ClusterRoutes& routes, const HttpRequest& request) {
  auto drafts = ReadAs(request, pd::ReadBundleDrafts);
  if (!drafts) return drafts.error();
  std::vector<Bundle> bundles;
  for (BundleDraft& draft : *drafts) {
    auto bundle = MakeBundle(routes, std::move(draft));
    if (!bundle) return bundle.error();
    bundles.push_back(*std::move(bundle));
  }
  const bool partial = request.Query("partial").has_value();
  const auto done = routes.cluster.rules().Change([&](PlacementRules::Editor& editor) {
    if (!partial) {
      editor.DeleteIf([](const RuleKey&) { return true; });
      editor.DeleteGroupIf([](const std::string&) { return true; });
    }
    for (const Bundle& bundle : bundles) Put(bundle, editor);
  });
  return Done(done, "Update rules and groups successfully.");
}

HttpResponse SetBundle(const ClusterRoutes& routes, const HttpRequest& request) {
  auto draft = ReadAs(request, pd::ReadBundleDraft);
  if (!draft) return draft.error();
  const std::string group(request.Param("group"));
  if (draft->group_id.empty()) draft->group_id = group;
  if (draft->group_id != group) {
    return ErrorResponse(
        400, fmt::format("group id {} does not match request URI {}", draft->group_id, group));
  }
  const auto bundle = MakeBundle(routes, *std::move(draft));
  if (!bundle) return bundle.error();
  const auto done =
      routes.cluster.rules().Change([&](PlacementRules::Editor& editor) { Put(*bundle, editor); });
  return Done(done, "Update group and rules successfully.");
}

/// The group, or all whose id has a match of the expression somewhere in it.
HttpResponse DeleteBundle(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string group(request.Param("group"));
  const bool expression = request.Query("regexp").has_value();
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 pattern(expression ? group : std::string(), options);
  if (!pattern.ok()) return ErrorResponse(500, "error parsing regexp: " + pattern.error());
  const auto goes = [&](const std::string& id) {
    return expression ? re2::RE2::PartialMatch(id, pattern) : id == group;
  };
  const auto done = routes.cluster.rules().Change([&](PlacementRules::Editor& editor) {
    editor.DeleteIf([&](const RuleKey& key) { return goes(key.group_id); });
    editor.DeleteGroupIf(goes);
  });
  return Done(done, "Delete group and rules successfully.");
}

}  // namespace

void AddPlacementRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto add = [&](const char* method, const std::string& path, const char* name,
                       Handler handler) {
    router.Add(method, "/pd/api/v1/config/" + path, name,
               WhenRunning(routes, [routes, handler](const HttpRequest& request) {
                 return routes.cluster.rules().enabled() ? handler(routes, request) : RulesAreOff();
               }));
  };
  add("GET", "rules", "GetAllRules", GetRules);
  add("POST", "rules", "SetAllRules", SetRules);
  add("POST", "rules/batch", "BatchRules", ChangeRules);
  add("GET", "rules/group/{group}", "GetRuleByGroup", GetRulesOfGroup);
  add("GET", "rules/region/{region}", "GetRulesByRegion", GetRulesOfRegion);
  add("GET", "rules/key/{key}", "GetRulesByKey", GetRulesOfKey);
  add("GET", "rule/{group}/{id}", "GetRuleByGroupAndID", GetRule);
  add("POST", "rule", "SetRule", SetRule);
  add("DELETE", "rule/{group}/{id}", "DeleteRuleByGroup", DeleteRule);
  add("GET", "rule_group/{id}", "GetGroupConfig", GetGroup);
  add("POST", "rule_group", "SetGroupConfig", SetGroup);
  add("DELETE", "rule_group/{id}", "DeleteGroupConfig", DeleteGroup);
  add("GET", "rule_groups", "GetAllGroupConfigs", GetGroups);
  add("GET", "placement-rule", "GetPlacementRules", GetBundles);
  add("POST", "placement-rule", "SetPlacementRules", SetBundles);
  add("GET", "placement-rule/{group}", "GetPlacementRuleByGroup", GetBundle);
  add("POST", "placement-rule/{group}", "SetPlacementRuleByGroup", SetBundle);
  add("DELETE", "placement-rule/{group}", "DeletePlacementRuleByGroup", DeleteBundle);
}

}  // namespace api

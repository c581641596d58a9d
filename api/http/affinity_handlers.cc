#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/error_map.h"
#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "pd/cluster/affinity_codec.h"

// Affinity groups (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using pd::AffinityGroups;
template <class T>
using OrAnswer = tl::expected<T, HttpResponse>;

HttpResponse Refusal(int status, const std::string& text) { return CompactV2(status, Json(text)); }

HttpResponse Refusal(const pd::Error& error) {
  const int status = error.code == pd::ErrorCode::kAlreadyExists ? 409 : ToHttpStatus(error.code);
  return Refusal(status, error.context.empty() ? ToRpcStatus(error).message : error.context);
}

std::string BindText(const std::string& fault) {
  return fmt::format("[PD:gin:ErrBindJSON]{}: {}", fault, fault);
}

/// What cannot be bound to a request is told as plain text, though it is JSON.
HttpResponse BindFault(const std::string& text) {
  HttpResponse response = Refusal(400, BindText(text));
  response.Set("Content-Type", "text/plain; charset=utf-8");
  return response;
}

template <class T>
OrAnswer<T> Bind(const HttpRequest& request, pd::JsonResult<T> (*read)(const Json&)) {
  if (request.body.empty()) return tl::unexpected(BindFault("EOF"));
  const auto body = ParseJson(request.body);
  if (!body) return tl::unexpected(BindFault(body.error().text));
  auto value = read(*body);
  if (!value) return tl::unexpected(BindFault(value.error().Text()));
  return *std::move(value);
}

/// A flag of the query: false when it is absent.
tl::expected<bool, std::string> Flag(const HttpRequest& request, std::string_view name) {
  const auto value = request.Query(name);
  return value ? ParseBool(*value) : false;
}

AffinityGroups::Force ForceOf(bool force) {
  return force ? AffinityGroups::Force::kYes : AffinityGroups::Force::kNo;
}

Json GroupJson(const AffinityGroups::Shown& group) {
  Json json = pd::AffinityRecordToJson(group.id, group.record);
  json["phase"] = scheduler::AffinityPhaseText(group.phase);
  json["range_count"] = group.range_count;
  json["region_count"] = group.counts.regions;
  json["affinity_region_count"] = group.counts.in_place;
  return json;
}

HttpResponse ShowGroups(const std::vector<AffinityGroups::Shown>& shown) {
  Json groups = Json::object();
  for (const AffinityGroups::Shown& group : shown) groups[group.id] = GroupJson(group);
  return JsonV2(200, Json{{"affinity_groups", std::move(groups)}});
}

/// Those that are there.
HttpResponse ShowGroups(const ClusterRoutes& routes, const std::set<std::string>& ids) {
  std::vector<AffinityGroups::Shown> shown;
  for (const std::string& id : ids) {
    if (auto group = routes.cluster.affinity().Find(id)) shown.push_back(*std::move(group));
  }
  return ShowGroups(shown);
}

HttpResponse GetGroups(const ClusterRoutes& routes, const HttpRequest& request) {
  std::set<std::string> ids;
  for (const std::string_view id : request.QueryAll("ids")) ids.emplace(id);
  if (ids.empty()) return ShowGroups(routes.cluster.affinity().All());
  std::vector<AffinityGroups::Shown> shown;
  for (const std::string& id : ids) {
    if (auto checked = pd::CheckAffinityGroupId(id); !checked) return Refusal(checked.error());
    auto group = routes.cluster.affinity().Find(id);
    if (!group) return Refusal(400, pd::NoAffinityGroup(id).value().context);
    shown.push_back(*std::move(group));
  }
  return ShowGroups(shown);
}

/// The group in the path as it is now.
HttpResponse GroupInPath(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string id(request.Param("group_id"));
  if (auto checked = pd::CheckAffinityGroupId(id); !checked) return Refusal(checked.error());
  const auto group = routes.cluster.affinity().Find(id);
  return group ? JsonV2(200, GroupJson(*group)) : Refusal(pd::NoAffinityGroup(id).value());
}

HttpResponse DeleteGroups(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto deletion = Bind(request, pd::ReadAffinityDeletion);
  if (!deletion) return deletion.error();
  const auto done = routes.cluster.affinity().Delete(deletion->ids, ForceOf(deletion->force));
  return done ? JsonV2(200, Json{{"deleted", deletion->ids}}) : Refusal(done.error());
}

HttpResponse CreateGroups(const ClusterRoutes& routes, const HttpRequest& request) {
  if (request.Query("delete")) return DeleteGroups(routes, request);
  const auto groups = Bind(request, pd::ReadNewAffinityGroups);
  if (!groups) return groups.error();
  const auto skip = Flag(request, "skip_exist_check");
  if (!skip) {
    return Refusal(400, "[PD:common:ErrInvalidArgument]invalid argument for skip_exist_check: " +
                            skip.error());
  }
  using Existing = AffinityGroups::Existing;
  const auto done =
      routes.cluster.affinity().Create(*groups, *skip ? Existing::kPassedOver : Existing::kRefused);
  if (!done) return Refusal(done.error());
  std::set<std::string> ids;
  for (const pd::AffinityRanges& group : *groups) ids.insert(group.group);
  return ShowGroups(routes, ids);
}

HttpResponse ChangeRanges(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto changes = Bind(request, pd::ReadAffinityRangeChanges);
  if (!changes) return changes.error();
  const auto done = routes.cluster.affinity().ChangeRanges(*changes);
  if (!done) return Refusal(done.error());
  std::set<std::string> ids;
  for (const auto* list : {&changes->add, &changes->remove}) {
    for (const pd::AffinityRanges& group : *list) ids.insert(group.group);
  }
  return ShowGroups(routes, ids);
}

HttpResponse AssignStores(const ClusterRoutes& routes, const HttpRequest& request) {
  auto stores = Bind(request, pd::ReadAffinityStores);
  if (!stores) return stores.error();
  const auto done =
      routes.cluster.affinity().Assign(std::string(request.Param("group_id")), *std::move(stores));
  return done ? GroupInPath(routes, request) : Refusal(done.error());
}

HttpResponse DeleteGroup(const ClusterRoutes& routes, const HttpRequest& request) {
  const std::string id(request.Param("group_id"));
  if (auto checked = pd::CheckAffinityGroupId(id); !checked) return Refusal(checked.error());
  const auto force = Flag(request, "force");
  if (!force) {
    return Refusal(400, BindText(force.error()));
  }
  const auto done = routes.cluster.affinity().Delete({id}, ForceOf(*force));
  return done ? CompactV2(200, Json("Affinity group deleted successfully."))
              : Refusal(done.error());
}

}  // namespace

void AddAffinityRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto add = [&](const char* method, const char* path, const char* name, Handler handler) {
    router.Add(method, path, name, [routes, handler](const HttpRequest& request) {
      const auto running = routes.cluster.CheckRunning();
      return running ? handler(routes, request) : Refusal(500, running.error().context);
    });
  };
  constexpr const char* kGroups = "/pd/api/v2/affinity-groups";
  constexpr const char* kGroup = "/pd/api/v2/affinity-groups/{group_id}";
  add("GET", kGroups, "GetAllAffinityGroups", GetGroups);
  add("POST", kGroups, "PostAffinityGroups", CreateGroups);
  add("PATCH", kGroups, "BatchModifyAffinityGroups", ChangeRanges);
  add("GET", kGroup, "GetAffinityGroup", GroupInPath);
  add("PUT", kGroup, "UpdateAffinityGroupPeers", AssignStores);
  add("DELETE", kGroup, "DeleteAffinityGroup", DeleteGroup);
}

}  // namespace api

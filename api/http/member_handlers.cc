#include "api/http/member_handlers.h"

#include <cmath>
#include <future>
#include <limits>

#include <fmt/format.h>

#include "api/http/body.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr pd::Millis kPingTimeout{1000};

Json MemberJson(const pd::Member& member) {
  Json json = Json::object();
  if (!member.name.empty()) json["name"] = member.name;
  json["member_id"] = member.id;
  if (!member.peer_urls.empty()) json["peer_urls"] = member.peer_urls;
  if (!member.client_urls.empty()) json["client_urls"] = member.client_urls;
  return json;
}

Json DetailJson(const pd::MemberDetail& detail) {
  Json json = MemberJson(detail.member);
  if (detail.leader_priority != 0) json["leader_priority"] = detail.leader_priority;
  if (!detail.deploy_path.empty()) json["deploy_path"] = detail.deploy_path;
  if (!detail.binary_version.empty()) json["binary_version"] = detail.binary_version;
  if (!detail.git_hash.empty()) json["git_hash"] = detail.git_hash;
  return json;
}

HttpResponse GetMembers(pd::PdServer& server) {
  const auto details = server.members().Details();
  if (!details) return ErrorResponse(500, details.error().context);
  const auto pd_leader = server.members().PdLeader();
  const auto raft_leader = server.members().RaftLeader();
  Json json = {{"header", {{"cluster_id", server.cluster_id()}}}, {"members", Json::array()}};
  Json leader;
  Json etcd_leader;
  for (const pd::MemberDetail& detail : *details) {
    const Json member = DetailJson(detail);
    json["members"].push_back(member);
    if (pd_leader && pd_leader->id == detail.member.id) leader = member;
    if (raft_leader && raft_leader->id == detail.member.id) etcd_leader = member;
  }
  if (!leader.is_null()) json["leader"] = leader;
  if (!etcd_leader.is_null()) json["etcd_leader"] = etcd_leader;
  return JsonV1(200, json);
}

HttpResponse GetLeader(pd::PdServer& server) {
  const auto leader = server.members().PdLeader();
  return JsonV1(200, leader ? MemberJson(*leader) : Json(nullptr));
}

HttpResponse GetHealth(pd::PdServer& server) {
  const std::vector<pd::Member> members = server.members().List();
  std::vector<std::future<bool>> answers;
  for (const pd::Member& member : members) {
    const bool self = member.id == server.members().self().id;
    answers.push_back(
        std::async(self ? std::launch::deferred : std::launch::async, [&server, &member, self] {
          return self || server.peers().Ping(member.client_urls, kPingTimeout);
        }));
  }
  Json json = Json::array();
  for (size_t i = 0; i < members.size(); ++i) {
    json.push_back({{"name", members[i].name},
                    {"member_id", members[i].id},
                    {"client_urls", members[i].client_urls},
                    {"health", answers[i].get()}});
  }
  return JsonV1(200, json);
}

HttpResponse NotFound(std::string_view what) {
  return ErrorResponse(404, fmt::format("not found, pd: {}", what));
}

HttpResponse DeleteByName(pd::PdServer& server, const HttpRequest& request) {
  const std::string name(request.Param("name"));
  const auto member = server.members().FindByName(name);
  if (!member) return NotFound(name);
  if (auto removed = server.members().Remove(member->id); !removed) {
    return ErrorResponse(500, removed.error().context);
  }
  return JsonV1(200, Json(fmt::format("removed, pd: {}", name)));
}

HttpResponse DeleteById(pd::PdServer& server, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return ErrorResponse(400, id.error());
  if (auto removed = server.members().Remove(*id); !removed) {
    return ErrorResponse(500, removed.error().context);
  }
  return JsonV1(200, Json(fmt::format("removed, pd: {}", *id)));
}

HttpResponse SetProperty(pd::PdServer& server, const HttpRequest& request) {
  const std::string name(request.Param("name"));
  const auto member = server.members().FindByName(name);
  if (!member) return NotFound(name);
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const auto priority = body->find("leader-priority");
  if (priority == body->end()) return JsonV1(200, Json("success"));
  if (!priority->is_number()) return ErrorResponse(400, "bad format leader priority");
  const double value = std::trunc(priority->get<double>());
  if (std::abs(value) > std::numeric_limits<int32_t>::max()) {
    return ErrorResponse(400, "bad format leader priority");
  }
  if (auto set = server.members().SetLeaderPriority(member->id, static_cast<int32_t>(value));
      !set) {
    return ErrorResponse(500, set.error().context);
  }
  return JsonV1(200, Json("success"));
}

HttpResponse Resign(pd::PdServer& server) {
  if (auto handed = server.TransferLeader(0); !handed)
    return ErrorResponse(500, handed.error().context);
  return JsonV1(200, Json("The resign command is submitted."));
}

HttpResponse Transfer(pd::PdServer& server, const HttpRequest& request) {
  const auto member = server.members().FindByName(request.Param("next_leader"));
  if (!member) return ErrorResponse(500, "no valid pd to transfer etcd leader");
  if (auto handed = server.TransferLeader(member->id); !handed) {
    return ErrorResponse(500, handed.error().context);
  }
  return JsonV1(200, Json("The transfer command is submitted."));
}

std::vector<std::string> StringsIn(const Json& object, const char* key) {
  std::vector<std::string> strings;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return strings;
  for (const Json& item : *found) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

HttpResponse Join(pd::PdServer& server, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  const std::string name = StringIn(*body, "name").value_or("");
  const auto peer_urls = StringsIn(*body, "peer_urls");
  if (name.empty() || peer_urls.empty())
    return ErrorResponse(400, "a member needs a name and peer URLs");
  const auto member = server.members().Join(name, peer_urls, server.config().initial_cluster_token,
                                            server.clock().UnixNanos());
  if (!member) return ErrorResponse(member.error());
  Json members = Json::array();
  for (const pd::Member& known : server.members().List()) {
    if (known.id != member->id) members.push_back({{"id", known.id}, {"urls", known.peer_urls}});
  }
  return JsonV1(200, Json{{"member_id", member->id},
                          {"group_id", server.group_id()},
                          {"members", std::move(members)}});
}

HttpResponse Publish(pd::PdServer& server, const HttpRequest& request) {
  const auto body = ReadObject(request);
  if (!body) return body.error();
  pd::MemberDetail detail;
  const auto id = body->find("member_id");
  if (id == body->end() || !id->is_number_unsigned())
    return ErrorResponse(400, "missing member id");
  detail.member.id = id->get<uint64_t>();
  detail.member.name = StringIn(*body, "name").value_or("");
  detail.member.peer_urls = StringsIn(*body, "peer_urls");
  detail.member.client_urls = StringsIn(*body, "client_urls");
  detail.deploy_path = StringIn(*body, "deploy_path").value_or("");
  detail.binary_version = StringIn(*body, "binary_version").value_or("");
  detail.git_hash = StringIn(*body, "git_hash").value_or("");
  if (auto published = server.members().Publish(detail); !published)
    return ErrorResponse(published.error());
  return JsonV1(200, Json("success"));
}

}  // namespace

void RegisterMemberHandlers(Router& router, pd::PdServer& server) {
  const std::string v1 = "/pd/api/v1";
  router.Add("GET", v1 + "/members", "GetMembers",
             [&server](const HttpRequest&) { return GetMembers(server); });
  router.Add("DELETE", v1 + "/members/name/{name}", "DeleteMemberByName",
             [&server](const HttpRequest& request) { return DeleteByName(server, request); });
  router.Add("DELETE", v1 + "/members/id/{id}", "DeleteMemberByID",
             [&server](const HttpRequest& request) { return DeleteById(server, request); });
  router.Add("POST", v1 + "/members/name/{name}", "SetMemberPropertyByName",
             [&server](const HttpRequest& request) { return SetProperty(server, request); });
  router.Add("POST", v1 + "/members/join", "JoinMember",
             [&server](const HttpRequest& request) { return Join(server, request); });
  router.Add("POST", v1 + "/members/publish", "PublishMember",
             [&server](const HttpRequest& request) { return Publish(server, request); });
  router.Add("GET", v1 + "/leader", "GetLeader",
             [&server](const HttpRequest&) { return GetLeader(server); });
  router.Add("POST", v1 + "/leader/resign", "ResignLeader",
             [&server](const HttpRequest&) { return Resign(server); });
  router.Add("POST", v1 + "/leader/transfer/{next_leader}", "TransferLeader",
             [&server](const HttpRequest& request) { return Transfer(server, request); });
  for (const std::string& path : {v1 + "/health", std::string("/pd/health")}) {
    router.Add("GET", path, "GetHealthStatus",
               [&server](const HttpRequest&) { return GetHealth(server); });
  }
}

}  // namespace api

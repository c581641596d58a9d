#include "api/http/status_handlers.h"

#include "pd/version.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

HttpResponse GetStatus(const pd::PdServer& server) {
  return JsonV1(200, Json{{"build_ts", pd::kBuildTime},
                          {"version", pd::kReleaseVersion},
                          {"git_hash", pd::kGitHash},
                          {"start_timestamp", server.start_timestamp_s()},
                          {"kernel_type", pd::kKernelType}});
}

HttpResponse GetVersion() {
  return JsonV1(
      200,
      Json{{"version", pd::kReleaseVersion}, {"build_time", ""}, {"hash", ""}, {"branch", ""}});
}

/// Of the Raft group, as the reference's etcd answers on this path.
HttpResponse GetRaftHealth(pd::PdServer& server) {
  const bool healthy = server.group().status().leader_id != 0;
  const Json json = {{"health", healthy ? "true" : "false"},
                     {"reason", healthy ? "" : "RAFT NO LEADER"}};
  HttpResponse response;
  response.status = healthy ? 200 : 503;
  response.Set("Content-Type", "application/json");
  response.body = DumpJson(json, -1);
  return response;
}

HttpResponse GetProbe(pd::PdServer& server, std::string_view check) {
  const bool ready = check == "live" ? server.started() : server.group().status().leader_id != 0;
  if (ready) return PlainText(200, "ok\n");
  return PlainText(503, "[-]leader failed: no leader\n");
}

}  // namespace

void RegisterStatusHandlers(Router& router, pd::PdServer& server) {
  router.Add("GET", "/pd/api/v1/version", "GetVersion",
             [](const HttpRequest&) { return GetVersion(); });
  router.Add("GET", "/pd/api/v1/status", "GetPDStatus",
             [&server](const HttpRequest&) { return GetStatus(server); });
  for (const char* path : {"/pd/api/v1/ping", "/pd/ping"}) {
    router.Add("GET", path, "Ping", [](const HttpRequest&) { return HttpResponse(); });
  }
  router.Add("GET", "/health", "RaftHealth",
             [&server](const HttpRequest&) { return GetRaftHealth(server); });
  router.Add("GET", "/livez", "Livez",
             [&server](const HttpRequest&) { return GetProbe(server, "live"); });
  router.Add("GET", "/readyz", "Readyz",
             [&server](const HttpRequest&) { return GetProbe(server, "ready"); });
  router.Add(
      "POST", "/pd/api/v1/tso/allocator/transfer/{name}", "TransferLocalTSOAllocator",
      [](const HttpRequest&) { return JsonV1(200, Json("The transfer command is deprecated.")); });
}

}  // namespace api

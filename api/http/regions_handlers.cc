#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/region_json.h"
#include "scheduler/model/hex.h"

// Regions over HTTP: by id, by key, in ranges, of stores (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::HeldAs;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::StoreId;

constexpr int64_t kLimitDefault = 16;
constexpr int64_t kLimitMax = 10240;

HttpResponse RegionNotFound(uint64_t id) {
  return ErrorResponse(404, fmt::format("[PD:region:ErrRegionNotFound]region {} not found", id));
}

HttpResponse GetRegion(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return ErrorResponse(400, id.error());
  if (*id == 0) return JsonV1(400, Json::object());
  const auto region = routes.cluster.regions().Find(RegionId{*id});
  return region ? RegionResponse(*region) : RegionNotFound(*id);
}

/// A key given raw, or as hex with format=hex.
tl::expected<std::string, std::string> KeyOf(const HttpRequest& request, std::string_view text) {
  if (request.Query("format") == "hex") return ParseHexKey(text);
  return std::string(text);
}

HttpResponse GetRegionByKey(const ClusterRoutes& routes, const HttpRequest& request) {
  // The segment was decoded once as a path; the reference decodes it as a query value.
  const auto key = KeyOf(request, request.Param("key"));
  if (!key) return ErrorResponse(400, key.error());
  const auto region = routes.cluster.regions().FindByKey(*key);
  if (region) return RegionResponse(*region);
  return ErrorResponse(404, "[PD:region:ErrRegionNotFound]region %v not found");
}

HttpResponse GetRegions(const ClusterRoutes& routes) {
  RegionsBody body;
  body.AddRange(routes.cluster.regions(), {}, std::numeric_limits<size_t>::max());
  return std::move(body).Respond();
}

HttpResponse ScanRegions(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto start = KeyOf(request, request.Query("key").value_or(""));
  if (!start) return ErrorResponse(400, start.error());
  const auto end = KeyOf(request, request.Query("end_key").value_or(""));
  if (!end) return ErrorResponse(400, end.error());
  int64_t limit = kLimitDefault;
  if (const auto text = request.Query("limit"); text && !text->empty()) {
    const auto parsed = ParseInt64(*text, "Atoi");
    if (!parsed) return ErrorResponse(400, parsed.error());
    limit = *parsed;
  }
  // No limit at all below 1, as the reference has it.
  const size_t limit_max = limit <= 0 ? std::numeric_limits<size_t>::max()
                                      : static_cast<size_t>(std::min(limit, kLimitMax));
  RegionsBody body;
  body.AddRange(routes.cluster.regions(), {*start, *end}, limit_max);
  return std::move(body).Respond();
}

HttpResponse CountRegions(const ClusterRoutes& routes) {
  Json json = Json::object();
  json["count"] = routes.cluster.regions().size();
  json["regions"] = nullptr;
  return JsonV1(200, json);
}

HttpResponse GetStoreRegions(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseInt64(request.Param("id"), "Atoi");
  if (!id) return ErrorResponse(400, id.error());
  const std::string_view type = request.Query("type").value_or("");
  std::vector<HeldAs> kinds;
  if (type.empty() || type == "all") {
    kinds = {HeldAs::kLeader, HeldAs::kFollower, HeldAs::kLearner};
  } else if (type == "leader") {
    kinds = {HeldAs::kLeader};
  } else if (type == "follower") {
    kinds = {HeldAs::kFollower};
  } else if (type == "learner") {
    kinds = {HeldAs::kLearner};
  } else if (type == "witness") {
    kinds = {HeldAs::kWitness};
  } else if (type == "pending") {
    kinds = {HeldAs::kPending};
  } else {
    return ErrorResponse(400, fmt::format("unknown sub tree region type {}", type));
  }
  RegionsBody body;
  for (const HeldAs kind : kinds) {
    routes.cluster.regions().VisitStore(StoreId{static_cast<uint64_t>(*id)}, kind,
                                        [&](const Region& region) {
                                          body.Add(region);
                                          return true;
                                        });
  }
  return std::move(body).Respond();
}

HttpResponse GetSiblings(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseInt64(request.Param("id"), "Atoi");
  if (!id) return ErrorResponse(400, id.error());
  const auto region = routes.cluster.regions().Find(RegionId{static_cast<uint64_t>(*id)});
  if (!region) return RegionNotFound(static_cast<uint64_t>(*id));
  // Always two entries: a missing left one is all zeros, a missing right one repeats the left one.
  const Region left = routes.cluster.regions().Previous(*region).value_or(Region{});
  const Region right = routes.cluster.regions().Next(*region).value_or(left);
  RegionsBody body;
  body.Add(left);
  body.Add(right);
  return std::move(body).Respond();
}

HttpResponse GetHoles(const ClusterRoutes& routes) {
  Json holes = Json::array();
  std::string covered_to;
  bool open = true;  // Whether something is left beyond covered_to.
  routes.cluster.regions().Visit({}, [&](const Region& region) {
    if (region.start_key > covered_to) {
      holes.push_back({scheduler::UpperHex(covered_to), scheduler::UpperHex(region.start_key)});
    }
    covered_to = region.end_key;
    open = !region.end_key.empty();
    return open;
  });
  if (open) holes.push_back({scheduler::UpperHex(covered_to), ""});
  return JsonV1(200, holes);
}

HttpResponse DropRegion(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return ErrorResponse(400, id.error());
  routes.cluster.regions().Remove(RegionId{*id}, pd::RegionTable::Forget::kMemory);
  return JsonV1(200, Json("The region is removed from server cache."));
}

HttpResponse DropRegionRecord(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return ErrorResponse(400, id.error());
  if (!routes.cluster.regions().Remove(RegionId{*id}, pd::RegionTable::Forget::kMemoryAndDisk)) {
    return ErrorResponse(400, "failed to get target region from cache");
  }
  return JsonV1(200, Json("The region is removed from server cache and region meta storage."));
}

HttpResponse DropRegions(const ClusterRoutes& routes) {
  routes.cluster.regions().Clear();
  return JsonV1(200, Json("All regions are removed from server cache."));
}

}  // namespace

void AddRegionRoutes(Router& router, const ClusterRoutes& routes) {
  using Handler = HttpResponse (*)(const ClusterRoutes&, const HttpRequest&);
  const auto bind = [&](Handler handler) -> HttpHandler {
    return [routes, handler](const HttpRequest& request) { return handler(routes, request); };
  };
  const auto read = [&](const char* path, const char* name, Handler handler) {
    router.Add("GET", path, name, WhenReadable(routes, bind(handler)));
  };
  read("/pd/api/v1/region/id/{id}", "GetRegionByID", GetRegion);
  read("/pd/api/v1/region/key/{key}", "GetRegion", GetRegionByKey);
  read("/pd/api/v1/regions", "GetRegions",
       [](const ClusterRoutes& r, const HttpRequest&) { return GetRegions(r); });
  read("/pd/api/v1/regions/key", "ScanRegions", ScanRegions);
  read("/pd/api/v1/regions/count", "GetRegionCount",
       [](const ClusterRoutes& r, const HttpRequest&) { return CountRegions(r); });
  read("/pd/api/v1/regions/store/{id}", "GetStoreRegions", GetStoreRegions);
  read("/pd/api/v1/regions/sibling/{id}", "GetRegionSiblings", GetSiblings);
  read("/pd/api/v1/regions/range-holes", "GetRangeHoles",
       [](const ClusterRoutes& r, const HttpRequest&) { return GetHoles(r); });
  router.Add("DELETE", "/pd/api/v1/admin/cache/region/{id}", "DeleteRegionCache",
             WhenRunning(routes, bind(DropRegion)));
  router.Add("DELETE", "/pd/api/v1/admin/storage/region/{id}", "DeleteRegionStorage",
             WhenRunning(routes, bind(DropRegionRecord)));
  router.Add("DELETE", "/pd/api/v1/admin/cache/regions", "DeleteAllRegionCache",
             WhenRunning(routes, [routes](const HttpRequest&) { return DropRegions(routes); }));
}

}  // namespace api

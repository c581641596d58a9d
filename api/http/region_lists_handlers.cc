#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/region_json.h"

// Regions picked by what is remarkable about them: the largest, the busiest, those in some state; and histograms. All
// walk every region in chunks, and keep the text that they answer with (the largest: the regions).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Region;

constexpr int64_t kTopDefault = 16;
constexpr int64_t kTopMax = 10240;

using Measure = uint64_t (*)(const Region&);

/// What a list of regions goes by: one state of it for all of them.
struct Facts {
  const pd::Cluster& cluster;
  pd::ConfigStore::Snapshot config;
  scheduler::RegionBounds bounds;
};
using Holds = bool (*)(const Facts&, const Region&);

HttpResponse TopRegions(const ClusterRoutes& routes, const HttpRequest& request, Measure measure) {
  int64_t limit = kTopDefault;
  if (const auto text = request.Query("limit"); text && !text->empty()) {
    const auto parsed = ParseInt64(*text, "Atoi");
    if (!parsed) return ErrorResponse(400, parsed.error());
    limit = std::min(*parsed, kTopMax);
  }
  if (limit <= 0) return RegionsBody().Respond();
  // The smallest of the best so far is on top, to be replaced.
  struct Entry {
    uint64_t value;
    Region region;
    bool operator>(const Entry& other) const { return value > other.value; }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> best;
  routes.cluster.regions().Visit({}, [&](const Region& region) {
    const uint64_t value = measure(region);
    if (best.size() < static_cast<size_t>(limit)) {
      best.push({value, region});
    } else if (value > best.top().value) {
      best.pop();
      best.push({value, region});
    }
    return true;
  });
  std::vector<Region> regions;
  for (; !best.empty(); best.pop()) regions.push_back(best.top().region);
  RegionsBody body;
  for (const Region& region : std::views::reverse(regions)) body.Add(region);
  return std::move(body).Respond();
}

HttpResponse ListRegions(const ClusterRoutes& routes, Holds holds) {
  const Facts facts{routes.cluster, routes.cluster.config().online(),
                    routes.cluster.store_config().bounds};
  RegionsBody body;
  routes.cluster.regions().Visit({}, [&](const Region& region) {
    if (holds(facts, region)) body.Add(region);
    return true;
  });
  return std::move(body).Respond();
}

HttpResponse Histogram(const ClusterRoutes& routes, const HttpRequest& request, int64_t bound_min,
                       Measure measure) {
  int64_t bound = bound_min;
  if (const auto text = request.Query("bound"); text && !text->empty()) {
    const auto parsed = ParseInt64(*text, "Atoi");
    if (!parsed) return ErrorResponse(400, parsed.error());
    bound = std::max(*parsed, bound_min);
  }
  const auto width = static_cast<uint64_t>(bound);
  std::map<uint64_t, uint64_t> counts;
  routes.cluster.regions().Visit({}, [&](const Region& region) {
    ++counts[measure(region) / width];
    return true;
  });
  Json json = Json::array();
  for (const auto& [bucket, count] : counts) {
    json.push_back(
        {{"start", bucket * width}, {"end", (bucket + 1) * width - 1}, {"count", count}});
  }
  return JsonV1(200, json);
}

/// As in the reference, from the first report on that comes after the store has begun to leave: what a region's leader
/// has not spoken of since may be out of date. Until no longer than the store does.
bool OnOfflineStore(const Facts& facts, const Region& region) {
  return region.source == scheduler::RegionSource::kHeartbeat && region.on_leaving_store &&
         facts.cluster.stores().AnyLeaving(region.peers);
}

bool IsUndersized(const Facts& facts, const Region& region) {
  const pd::ScheduleConfig& schedule = facts.config->schedule;
  return scheduler::IsSmall(region, schedule.max_merge_region_size, schedule.MergeRegionKeys());
}

void AddTopRoutes(Router& router, const ClusterRoutes& routes) {
  const auto add = [&](const char* path, const char* name, Measure measure) {
    router.Add("GET", path, name,
               WhenReadable(routes, [routes, measure](const HttpRequest& request) {
                 return TopRegions(routes, request, measure);
               }));
  };
  add("/pd/api/v1/regions/writeflow", "GetTopWriteFlowRegions",
      [](const Region& r) { return r.flow.bytes_written; });
  add("/pd/api/v1/regions/writequery", "GetTopWriteQueryRegions",
      [](const Region& r) { return r.flow.write_queries; });
  add("/pd/api/v1/regions/readflow", "GetTopReadFlowRegions",
      [](const Region& r) { return r.flow.bytes_read; });
  add("/pd/api/v1/regions/readquery", "GetTopReadQueryRegions",
      [](const Region& r) { return r.flow.read_queries; });
  add("/pd/api/v1/regions/confver", "GetTopConfVerRegions",
      [](const Region& r) { return r.epoch.conf_ver; });
  add("/pd/api/v1/regions/version", "GetTopVersionRegions",
      [](const Region& r) { return r.epoch.version; });
  add("/pd/api/v1/regions/size", "GetTopSizeRegions", [](const Region& r) { return r.size_mib; });
  add("/pd/api/v1/regions/keys", "GetTopKeysRegions", [](const Region& r) { return r.keys; });
  add("/pd/api/v1/regions/cpu", "GetTopCPURegions",
      [](const Region& r) { return r.flow.cpu_usage; });
}

void AddStateRoutes(Router& router, const ClusterRoutes& routes) {
  const auto add = [&](const char* path, const char* name, Holds holds) {
    router.Add("GET", path, name, WhenRunning(routes, [routes, holds](const HttpRequest&) {
                 return ListRegions(routes, holds);
               }));
  };
  add("/pd/api/v1/regions/check/miss-peer", "GetMissPeerRegions",
      [](const Facts& facts, const Region& r) {
        return r.peers.size() < facts.cluster.rules().PeersWanted(r);
      });
  add("/pd/api/v1/regions/check/extra-peer", "GetExtraPeerRegions",
      [](const Facts& facts, const Region& r) {
        return r.peers.size() > facts.cluster.rules().PeersWanted(r);
      });
  add("/pd/api/v1/regions/check/pending-peer", "GetPendingPeerRegions",
      [](const Facts&, const Region& r) { return !r.pending_peers.empty(); });
  add("/pd/api/v1/regions/check/down-peer", "GetDownPeerRegions",
      [](const Facts&, const Region& r) { return !r.down_peers.empty(); });
  add("/pd/api/v1/regions/check/learner-peer", "GetLearnerPeerRegions",
      [](const Facts&, const Region& r) {
        return std::ranges::any_of(r.peers, scheduler::IsLearner);
      });
  add("/pd/api/v1/regions/check/empty-region", "GetEmptyRegions",
      [](const Facts&, const Region& r) { return r.size_mib <= scheduler::kEmptyRegionSizeMib; });
  add("/pd/api/v1/regions/check/offline-peer", "GetOfflinePeerRegions", OnOfflineStore);
  add("/pd/api/v1/regions/check/oversized-region", "GetOverSizedRegions",
      [](const Facts& facts, const Region& r) {
        return r.size_mib >= facts.bounds.max_size_mib || r.keys >= facts.bounds.max_keys;
      });
  add("/pd/api/v1/regions/check/undersized-region", "GetUndersizedRegions", IsUndersized);
}

}  // namespace

void AddRegionListRoutes(Router& router, const ClusterRoutes& routes) {
  constexpr int64_t kSizeBoundMin = 1;
  constexpr int64_t kKeysBoundMin = 1000;
  AddTopRoutes(router, routes);
  AddStateRoutes(router, routes);
  router.Add("GET", "/pd/api/v1/regions/check/hist-size", "GetSizeHistogram",
             WhenReadable(routes, [routes](const HttpRequest& request) {
               return Histogram(routes, request, kSizeBoundMin,
                                [](const Region& r) { return r.size_mib; });
             }));
  router.Add("GET", "/pd/api/v1/regions/check/hist-keys", "GetKeysHistogram",
             WhenReadable(routes, [routes](const HttpRequest& request) {
               return Histogram(routes, request, kKeysBoundMin,
                                [](const Region& r) { return r.keys; });
             }));
}

}  // namespace api

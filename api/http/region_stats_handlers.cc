#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "api/http/cluster_routes.h"
#include "api/http/region_json.h"

// Sums over the regions of a range, and the regions of a keyspace.

namespace api {
namespace {

using Json = nlohmann::json;
using scheduler::Region;

constexpr int64_t kLimitDefault = 16;

/// The reference's RegionStats.
struct Sums {
  uint64_t count = 0;
  uint64_t empty = 0;
  uint64_t size_mib = 0;
  uint64_t kv_size_mib = 0;
  uint64_t columnar_size_mib = 0;
  uint64_t keys = 0;
  struct OfStore {
    uint64_t leaders = 0;
    uint64_t leader_size_mib = 0;
    uint64_t leader_keys = 0;
    uint64_t peers = 0;
    uint64_t peer_size_mib = 0;
    uint64_t peer_keys = 0;
    scheduler::Load written;  // Of hot regions, as all below.
    scheduler::Load read_as_leader;
    scheduler::Load read;
  };
  std::map<uint64_t, OfStore> stores;

  void Add(const Region& region) {
    ++count;
    if (region.size_mib <= scheduler::kEmptyRegionSizeMib) ++empty;
    size_mib += region.size_mib;
    kv_size_mib += region.kv_size_mib;
    columnar_size_mib += region.columnar_size_mib;
    keys += region.keys;
    if (region.HasLeader()) {
      OfStore& leader = stores[region.leader.store.value];
      ++leader.leaders;
      leader.leader_size_mib += region.size_mib;
      leader.leader_keys += region.keys;
    }
    for (const scheduler::Peer& peer : region.peers) {
      OfStore& store = stores[peer.store.value];
      ++store.peers;
      store.peer_size_mib += region.size_mib;
      store.peer_keys += region.keys;
    }
  }

  void AddHot(const scheduler::HotPeer& peer, scheduler::Access access) {
    OfStore& store = stores[peer.store.value];
    if (access == scheduler::Access::kWrite) {
      store.written += peer.load;
      return;
    }
    store.read += peer.load;
    if (peer.leads) store.read_as_leader += peer.load;
  }

  [[nodiscard]] Json ToJson() const {
    Json json = {{"count", count},
                 {"empty_count", empty},
                 {"storage_size", size_mib},
                 {"user_storage_size", kv_size_mib},
                 {"user_columnar_storage_size", columnar_size_mib},
                 {"storage_keys", keys}};
    for (const char* name : {"store_leader_count", "store_peer_count", "store_leader_size",
                             "store_leader_keys", "store_peer_size"}) {
      json[name] = Json::object();
    }
    for (const auto& [id, store] : stores) {
      const std::string key = std::to_string(id);
      if (store.leaders > 0) {
        json["store_leader_count"][key] = store.leaders;
        json["store_leader_size"][key] = store.leader_size_mib;
        json["store_leader_keys"][key] = store.leader_keys;
      }
      if (store.peers == 0) continue;
      json["store_peer_count"][key] = store.peers;
      json["store_peer_size"][key] = store.peer_size_mib;
      json["store_peer_keys"][key] = store.peer_keys;
    }
    return json;
  }

  /// The loads of hot regions by store, and the engines of the stores. What is nothing is left out.
  void AddHotTo(const std::map<uint64_t, std::string>& engines, Json& json) const {
    const auto add = [&](const std::string& name, uint64_t id, const scheduler::Load& load) {
      for (const auto dim :
           {scheduler::LoadDim::kByte, scheduler::LoadDim::kKey, scheduler::LoadDim::kQuery}) {
        if (load[dim] < 1) continue;
        const char* const suffix = dim == scheduler::LoadDim::kByte  ? "_bytes"
                                   : dim == scheduler::LoadDim::kKey ? "_keys"
                                                                     : "_query";
        json[name + suffix][std::to_string(id)] = static_cast<uint64_t>(load[dim]);
      }
    };
    for (const auto& [id, store] : stores) {
      add("store_write", id, store.written);
      add("store_leader_read", id, store.read_as_leader);
      add("store_peer_read", id, store.read);
    }
    for (const auto& [id, engine] : engines) json["store_engine"][std::to_string(id)] = engine;
  }
};

bool Overlaps(const Region& region, const scheduler::KeyRange& range) {
  const bool ends_behind = region.end_key.empty() || region.end_key > range.start;
  return ends_behind && (range.end.empty() || region.start_key < range.end);
}

/// What is hot in the range, on the stores of one engine or of all.
void AddHot(const ClusterRoutes& routes, const scheduler::KeyRange& range, std::string_view engine,
            Sums& sums, std::map<uint64_t, std::string>& engines) {
  for (const scheduler::Store& store : routes.cluster.stores().All()) {
    if (store.IsRemoved()) continue;
    const std::string_view of_store = store.Label(scheduler::kEngineLabel);
    if (!engine.empty() && store.IsTiFlash() != (engine == scheduler::kEngineTiFlash)) continue;
    engines[store.id.value] = of_store;
    for (const auto access : {scheduler::Access::kWrite, scheduler::Access::kRead}) {
      for (const scheduler::HotPeer& peer : routes.cluster.HotPeersOn(access, store.id)) {
        const auto region = routes.cluster.regions().Find(peer.region);
        if (region && Overlaps(*region, range)) sums.AddHot(peer, access);
      }
    }
  }
}

HttpResponse GetStats(const ClusterRoutes& routes, const HttpRequest& request) {
  const scheduler::KeyRange range{std::string(request.Query("start_key").value_or("")),
                                  std::string(request.Query("end_key").value_or(""))};
  Sums sums;
  if (request.Query("count")) {
    sums.count = routes.cluster.regions().Count(range);
  } else {
    routes.cluster.regions().Visit(range, [&](const Region& region) {
      sums.Add(region);
      return true;
    });
  }
  std::map<uint64_t, std::string> engines;
  const bool use_hot = !request.Query("count") && request.Query("use_hot");
  if (use_hot) AddHot(routes, range, request.Query("engine").value_or(""), sums, engines);
  Json json = sums.ToJson();
  if (use_hot) sums.AddHotTo(engines, json);
  return JsonV1(200, json);
}

/// A key of a keyspace's bounds as stores write it: mode byte and three bytes of id, memory-comparable.
std::string KeyspaceBound(char mode, uint32_t id) {
  constexpr size_t kGroup = 8;
  constexpr unsigned char kMarker = 0xff;
  std::string raw = {mode, static_cast<char>(id >> 16), static_cast<char>(id >> 8),
                     static_cast<char>(id)};
  const size_t padding = kGroup - raw.size();
  raw.append(padding, '\0');
  raw += static_cast<char>(kMarker - padding);
  return raw;
}

HttpResponse GetKeyspaceRegions(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto id = ParseUint64(request.Param("id"));
  if (!id) return ErrorResponse(400, id.error());
  int64_t limit = kLimitDefault;
  if (const auto text = request.Query("limit"); text && !text->empty()) {
    const auto parsed = ParseInt64(*text, "Atoi");
    if (!parsed) return ErrorResponse(400, parsed.error());
    limit = *parsed;
  }
  if (*id != 0) {
    return ErrorResponse(400, "[PD:keyspace:ErrKeyspaceNotFound]keyspace does not exist");
  }
  RegionsBody body;
  for (const char mode : {'r', 'x'}) {
    const auto taken = static_cast<int64_t>(body.size());
    if (taken >= limit) break;
    body.AddRange(routes.cluster.regions(), {KeyspaceBound(mode, 0), KeyspaceBound(mode, 1)},
                  static_cast<size_t>(limit - taken));
  }
  return std::move(body).Respond();
}

}  // namespace

void AddRegionStatsRoutes(Router& router, const ClusterRoutes& routes) {
  router.Add("GET", "/pd/api/v1/stats/region", "GetRegionStatus",
             WhenRunning(routes, [routes](const HttpRequest& request) {
               return GetStats(routes, request);
             }));
  router.Add("GET", "/pd/api/v1/regions/keyspace/id/{id}", "GetKeyspaceRegions",
             WhenReadable(routes, [routes](const HttpRequest& request) {
               return GetKeyspaceRegions(routes, request);
             }));
}

}  // namespace api

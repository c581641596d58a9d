#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/http/cluster_routes.h"
#include "api/http/json_body.h"
#include "api/http/store_json.h"
#include "pd/cluster/store_rules.h"
#include "pd/log/log.h"
#include "scheduler/model/hex.h"

// What is hot: peers by store, stores, buckets, and the past (as in the reference).

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Access;
using scheduler::HotPeer;
using scheduler::Load;
using scheduler::LoadDim;
using scheduler::Store;

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr double kWholeMax = 1e18;
constexpr uint64_t kUnixSecondsMax = INT64_MAX / kNsPerS;  // A store may say anything.

enum class Side : uint8_t { kLeader, kPeer };

/// As planning sees it: what is written for leaders is known of the hot regions alone, but for the queries.
Load StoreLoadOf(const ClusterRoutes& routes, const Store& store, Access access, Side side,
                 const Load& hot_sum) {
  const scheduler::StoreLoads loads = routes.cluster.LoadsOf(store.id);
  if (access == Access::kRead) return loads.read;
  if (side == Side::kPeer) return store.IsTiFlash() ? loads.regions_write : loads.write;
  Load load = hot_sum;
  load[LoadDim::kQuery] = loads.write[LoadDim::kQuery];
  return load;
}

Json PeerJson(const ClusterRoutes& routes, const Store& store, Access access, const HotPeer& peer) {
  const auto region = routes.cluster.regions().Find(peer.region);
  const scheduler::Peer* at = region ? region->PeerOnStore(peer.store) : nullptr;
  int64_t unix_ns = store.last_heartbeat_unix_ns;
  if (access == Access::kWrite && region) {
    unix_ns =
        static_cast<int64_t>(std::min(region->flow.interval_end_s, kUnixSecondsMax)) * kNsPerS;
  }
  std::vector<uint64_t> stores;
  stores.reserve(peer.stores.size());
  for (const scheduler::StoreId one : peer.stores) stores.push_back(one.value);
  return {{"store_id", peer.store.value},
          {"stores", stores},
          {"is_leader", peer.leads},
          {"is_learner", at != nullptr && IsLearner(*at)},
          {"region_id", peer.region.value},
          {"hot_degree", peer.degree},
          {"flow_bytes", peer.load[LoadDim::kByte]},
          {"flow_keys", peer.load[LoadDim::kKey]},
          {"flow_query", peer.load[LoadDim::kQuery]},
          {"flow_cpu", peer.load[LoadDim::kCpu]},
          {"anti_count", peer.anti_count},
          {"last_update_time", TimeText(unix_ns)}};
}

Json HotStoreJson(const ClusterRoutes& routes, const Store& store, Access access, Side side) {
  std::vector<HotPeer> peers = routes.cluster.HotPeersOn(access, store.id);
  if (side == Side::kLeader) std::erase_if(peers, [](const HotPeer& peer) { return !peer.leads; });
  Load sum;
  for (const HotPeer& peer : peers) sum += peer.load;
  const Load load = StoreLoadOf(routes, store, access, side, sum);
  Json statistics = Json::array();
  for (const HotPeer& peer : peers) {
    statistics.push_back(PeerJson(routes, store, access, peer));
  }
  return {{"store_bytes", load[LoadDim::kByte]},
          {"store_keys", load[LoadDim::kKey]},
          {"store_query", load[LoadDim::kQuery]},
          {"store_cpu", load[LoadDim::kCpu]},
          {"total_flow_bytes", sum[LoadDim::kByte]},
          {"total_flow_keys", sum[LoadDim::kKey]},
          {"total_flow_query", sum[LoadDim::kQuery]},
          {"total_flow_cpu", sum[LoadDim::kCpu]},
          {"regions_count", peers.size()},
          {"statistics", std::move(statistics)}};
}

/// The stores asked for, or all that are there.
tl::expected<std::vector<Store>, HttpResponse> WantedStores(const ClusterRoutes& routes,
                                                            const HttpRequest& request) {
  const std::vector<std::string_view> wanted = request.QueryAll("store_id");
  std::vector<Store> stores;
  for (const std::string_view text : wanted) {
    const auto id = ParseUint64(text);
    if (!id) {
      return tl::unexpected(ErrorResponse(400, fmt::format("invalid store id: {}", text)));
    }
    auto store = routes.cluster.stores().Find({*id});
    if (!store) {
      return tl::unexpected(ErrorResponse(500, pd::StoreNotFound({*id}).context));
    }
    stores.push_back(*std::move(store));
  }
  if (!wanted.empty()) return stores;
  stores = routes.cluster.stores().All();
  std::erase_if(stores, [](const Store& store) { return store.IsRemoved(); });
  return stores;
}

HttpResponse GetHotPeers(const ClusterRoutes& routes, const HttpRequest& request, Access access) {
  const auto stores = WantedStores(routes, request);
  if (!stores) return stores.error();
  Json as_peer = Json::object();
  Json as_leader = Json::object();
  for (const Store& store : *stores) {
    const std::string id = fmt::to_string(store.id.value);
    as_peer[id] = HotStoreJson(routes, store, access, Side::kPeer);
    as_leader[id] = HotStoreJson(routes, store, access, Side::kLeader);
  }
  return JsonV1(200, Json{{"as_peer", std::move(as_peer)}, {"as_leader", std::move(as_leader)}});
}

/// Stores that were not heard for ten minutes are left out.
HttpResponse GetHotStores(const ClusterRoutes& routes) {
  struct Column {
    const char* name;
    Access access;
    LoadDim dim;
  };
  static constexpr Column kColumns[] = {
      {"bytes-write-rate", Access::kWrite, LoadDim::kByte},
      {"bytes-read-rate", Access::kRead, LoadDim::kByte},
      {"keys-write-rate", Access::kWrite, LoadDim::kKey},
      {"keys-read-rate", Access::kRead, LoadDim::kKey},
      {"query-write-rate", Access::kWrite, LoadDim::kQuery},
      {"query-read-rate", Access::kRead, LoadDim::kQuery},
      {"cpu-read-rate", Access::kRead, LoadDim::kCpu},
  };
  const scheduler::Instant now = pd::InstantOf(routes.cluster.clock().Monotonic());
  Json json = Json::object();
  for (const Store& store : routes.cluster.stores().All()) {
    if (store.IsRemoved() || store.IsUnhealthy(now)) continue;
    const auto loads = routes.cluster.hot().LoadsOf(store.id);
    if (!loads) continue;
    for (const Column& column : kColumns) {
      json[column.name][fmt::to_string(store.id.value)] = loads->Of(column.access)[column.dim];
    }
  }
  return JsonV1(200, json);
}

// ---- Buckets.

Json BucketJson(const scheduler::HotBucket& bucket) {
  const auto whole = [](double rate) {
    return static_cast<uint64_t>(std::clamp(rate, 0.0, kWholeMax));
  };
  return {{"start_key", scheduler::UpperHex(bucket.start_key)},
          {"end_key", scheduler::UpperHex(bucket.end_key)},
          {"hot_degree", bucket.degree},
          {"read_bytes", whole(bucket.read[LoadDim::kByte])},
          {"read_keys", whole(bucket.read[LoadDim::kKey])},
          {"write_bytes", whole(bucket.write[LoadDim::kByte])},
          {"write_keys", whole(bucket.write[LoadDim::kKey])}};
}

/// By region; an id that is no number counts as 0 (as in the reference).
HttpResponse GetHotBuckets(const ClusterRoutes& routes, const HttpRequest& request) {
  const uint64_t hits = routes.cluster.config().online()->schedule.hot_region_cache_hits_threshold;
  std::vector<uint64_t> wanted;
  for (const std::string_view text : request.QueryAll("region_id")) {
    wanted.push_back(ParseUint64(text).value_or(0));
  }
  Json json = Json::object();
  const scheduler::Instant now = pd::InstantOf(routes.cluster.clock().Monotonic());
  for (const scheduler::HotBucket& bucket : routes.cluster.hot().BucketsIn({}, hits, now)) {
    const bool shown =
        wanted.empty() || std::ranges::find(wanted, bucket.region.value) != wanted.end();
    if (shown) json[fmt::to_string(bucket.region.value)].push_back(BucketJson(bucket));
  }
  return JsonV1(200, json);
}

// ---- The past.

struct HistoryQuery {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  std::vector<uint64_t> regions;
  std::vector<uint64_t> stores;
  std::vector<uint64_t> peers;
  std::vector<bool> learners;
  std::vector<bool> leaders;
  std::vector<std::string> types;

  [[nodiscard]] bool Wants(const pd::HotRecord& record) const {
    const auto lists = [](const auto& list, const auto& value) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    const auto open = [&](const auto& list, const auto& value) {
      return list.empty() || lists(list, value);
    };
    return open(regions, record.region.value) && open(stores, record.store.value) &&
           open(peers, record.peer.value) && open(types, AccessText(record.access)) &&
           lists(leaders, record.leader) && lists(learners, record.learner);
  }
};

template <class T>
void ReadItems(pd::JsonMembers& members, const char* name, const char* type, std::vector<T>& out) {
  members.ReadList(name, out, type, [type](const Json& item) -> pd::JsonResult<T> {
    const bool fits = std::is_same_v<T, bool> ? item.is_boolean() : item.is_number_unsigned();
    if (fits) return item.get<T>();
    return tl::unexpected(pd::JsonFault{pd::JsonKind(item), "", {}, type, {}});
  });
}

pd::JsonResult<HistoryQuery> ReadHistoryQuery(const Json& json) {
  pd::JsonMembers members(json, "HistoryHotRegionsRequest", "storage.HistoryHotRegionsRequest");
  HistoryQuery query;
  members.Read("start_time", query.start_ms);
  members.Read("end_time", query.end_ms);
  ReadItems(members, "region_ids", "uint64", query.regions);
  ReadItems(members, "store_ids", "uint64", query.stores);
  ReadItems(members, "peer_ids", "uint64", query.peers);
  ReadItems(members, "is_learners", "bool", query.learners);
  ReadItems(members, "is_leaders", "bool", query.leaders);
  members.Read("hot_region_type", query.types);
  return members.Result(std::move(query));
}

Json RecordJson(const pd::HotRecord& record) {
  return {{"update_time", record.unix_ms},
          {"region_id", record.region.value},
          {"peer_id", record.peer.value},
          {"store_id", record.store.value},
          {"is_leader", record.leader},
          {"is_learner", record.learner},
          {"hot_region_type", AccessText(record.access)},
          {"hot_degree", record.degree},
          {"flow_bytes", record.load[LoadDim::kByte]},
          {"flow_cpu", record.load[LoadDim::kCpu]},
          {"key_rate", record.load[LoadDim::kKey]},
          {"query_rate", record.load[LoadDim::kQuery]},
          {"start_key", scheduler::UpperHex(record.start_key)},
          {"end_key", scheduler::UpperHex(record.end_key)}};
}

/// This member's own. Where there is more than an answer holds it says from when on to ask again (the reference answers
/// with all there is, however much).
HttpResponse GetHistory(const ClusterRoutes& routes, const HttpRequest& request) {
  const auto body = ParseJson(request.body);
  if (!body) return ErrorResponse(400, body.error().text);
  const auto query = ReadHistoryQuery(*body);
  if (!query) return ErrorResponse(400, query.error().Text());
  const auto page = routes.cluster.hot_history().Read(
      query->start_ms, query->end_ms,
      [&](const pd::HotRecord& record) { return query->Wants(record); });
  Json list = nullptr;
  for (const pd::HotRecord& record : page.records) list.push_back(RecordJson(record));
  Json answer{{"history_hot_region", std::move(list)}};
  if (page.next_ms) {
    answer["next_start_time"] = *page.next_ms;
    pd::LogInfo("there is more history of hot regions than one answer holds",
                {{"records", page.records.size()}, {"next-start-time", *page.next_ms}});
  }
  return JsonV1(200, answer);
}

}  // namespace

void AddHotspotRoutes(Router& router, const ClusterRoutes& routes) {
  const auto add = [&](const char* tail, const char* name, Access access) {
    router.Add("GET", fmt::format("/pd/api/v1/hotspot/regions/{}", tail), name,
               WhenRunning(routes, [routes, access](const HttpRequest& request) {
                 return GetHotPeers(routes, request, access);
               }));
  };
  add("write", "GetHotWriteRegions", Access::kWrite);
  add("read", "GetHotReadRegions", Access::kRead);
  router.Add("GET", "/pd/api/v1/hotspot/regions/history", "GetHistoryHotRegions",
             [routes](const HttpRequest& request) { return GetHistory(routes, request); });
  router.Add("GET", "/pd/api/v1/hotspot/stores", "GetHotStores",
             WhenRunning(routes, [routes](const HttpRequest&) { return GetHotStores(routes); }));
  router.Add("GET", "/pd/api/v1/hotspot/buckets", "GetHotBuckets",
             WhenRunning(routes, [routes](const HttpRequest& request) {
               return GetHotBuckets(routes, request);
             }));
}

}  // namespace api

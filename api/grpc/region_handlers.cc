#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "api/convert/region_convert.h"
#include "api/grpc/cluster_calls.h"
#include "pd/codec/metapb_codec.h"

// Region queries (as in the reference). A follower answers from what the leader's feed brought.

namespace api {
namespace {

using scheduler::Region;

constexpr std::string_view kRegionNotFound = "region not found";

size_t LimitOf(int32_t limit) {
  return limit <= 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(limit);
}

/// Whether buckets may go into an answer: the leader knows them, and the stores keep any.
bool WithBuckets(Answerer answerer, bool wanted, const Region& region) {
  return wanted && answerer == Answerer::kLeader && region.buckets.version != 0;
}

/// GetRegion, GetPrevRegion, GetRegionByID: all but the way they look it up. `find(request) -> std::optional<Region>`.
template <class Request, class Find>
void AddGetRegion(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name,
                  Find find) {
  using Response = pdpb::GetRegionResponse;
  registry.Unary<Request, Response>(
      name, kPdpbFast,
      [calls, find](const CallContext& context, const Request& request) -> RpcResult<Response> {
        const auto answerer = CheckReadCall(calls, context, request.header().cluster_id());
        if (!answerer) return FailRpc(answerer.error());
        const bool leads = *answerer == Answerer::kLeader;
        if (leads && !calls.cluster.running()) return NotBootstrapped<Response>(calls);
        std::optional<Region> region;
        if (leads || calls.cluster.synced()) region = find(calls.cluster.regions(), request);
        if (!region) {
          if (leads) return GoodAnswer<Response>(calls);
          return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, std::string(kRegionNotFound));
        }
        auto response = GoodAnswer<Response>(calls);
        pd::SetRegion(*region, *response.mutable_region());
        if (region->HasLeader()) pd::SetPeer(region->leader, *response.mutable_leader());
        AddDownPeers(*region, *response.mutable_down_peers());
        pd::AddPeers(region->pending_peers, *response.mutable_pending_peers());
        if (WithBuckets(*answerer, request.need_buckets(), *region)) {
          SetBuckets(*region, *response.mutable_buckets());
        }
        return response;
      });
}

std::optional<Region> PreviousOfKey(const pd::RegionTable& regions, const std::string& key) {
  const std::optional<Region> region = regions.FindByKey(key);
  return region ? regions.Previous(*region) : std::nullopt;
}

/// In scans an unknown leader is an empty peer, not an absent one.
void SetScanned(const Region& region, pdpb::Region& out) {
  pd::SetRegion(region, *out.mutable_region());
  pd::SetPeer(region.leader, *out.mutable_leader());
  AddDownPeers(region, *out.mutable_down_peers());
  pd::AddPeers(region.pending_peers, *out.mutable_pending_peers());
}

RpcResult<pdpb::ScanRegionsResponse> ScanRegions(const ClusterCalls& calls,
                                                 const CallContext& context,
                                                 const pdpb::ScanRegionsRequest& request) {
  using Response = pdpb::ScanRegionsResponse;
  const auto answerer = CheckReadCall(calls, context, request.header().cluster_id());
  if (!answerer) return FailRpc(answerer.error());
  const bool leads = *answerer == Answerer::kLeader;
  if (leads && !calls.cluster.running()) return NotBootstrapped<Response>(calls);
  std::vector<Region> regions;
  if (leads || calls.cluster.synced()) {
    regions = calls.cluster.regions().Scan({request.start_key(), request.end_key()},
                                           LimitOf(request.limit()));
  }
  if (regions.empty() && !leads) {
    return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, std::string(kRegionNotFound));
  }
  auto response = GoodAnswer<Response>(calls);
  for (const Region& region : regions) {
    pd::SetRegion(region, *response.add_region_metas());
    pd::SetPeer(region.leader, *response.add_leaders());
    SetScanned(region, *response.add_regions());
  }
  return response;
}

/// Lower-case hex, two digits a byte: as Go's %x.
std::string Hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

/// One range of a batch scan; `hole` is filled when the regions leave a part of it uncovered.
std::vector<Region> ScanRange(const pd::RegionTable& table, const scheduler::KeyRange& range,
                              size_t limit_max, std::string& hole) {
  std::vector<Region> regions = table.Scan(range, limit_max);
  const auto name = [](const std::string& start, const std::string& end) {
    return fmt::format("[{}, {})", Hex(start), Hex(end));
  };
  const std::string prefix =
      fmt::format("[PD:region:ErrRegionNotAdjacent]key range{} found a hole region ",
                  name(range.start, range.end));
  const Region* last = nullptr;
  for (const Region& region : regions) {
    const std::string& covered_to = last == nullptr ? range.start : last->end_key;
    if (region.start_key > covered_to && hole.empty()) {
      hole = prefix + fmt::format("between region{} and region{}",
                                  last == nullptr ? name("", range.start)
                                                  : name(last->start_key, last->end_key),
                                  name(region.start_key, region.end_key));
    }
    last = &region;
  }
  if (!hole.empty() || regions.size() == limit_max || range.end.empty()) return regions;
  const std::string covered_to = last == nullptr ? range.start : last->end_key;
  const bool to_the_end = last != nullptr && covered_to.empty();
  if (!to_the_end && covered_to < range.end) {
    hole =
        prefix + fmt::format("in the last, the last scanned region is {}, {} is missing",
                             last == nullptr ? name("", "") : name(last->start_key, last->end_key),
                             name(covered_to, range.end));
  }
  return regions;
}

/// Adjacent ranges as one. Nothing but a text when ranges overlap or end before they start.
tl::expected<std::vector<scheduler::KeyRange>, std::string> RangesOf(
    const pdpb::BatchScanRegionsRequest& request) {
  std::vector<scheduler::KeyRange> ranges;
  const pdpb::KeyRange* previous = nullptr;
  for (const pdpb::KeyRange& range : request.ranges()) {
    if (previous != nullptr && range.start_key() < previous->end_key()) {
      return tl::unexpected<std::string>("invalid key range, ranges overlapped");
    }
    if (!range.end_key().empty() && range.start_key() > range.end_key()) {
      return tl::unexpected<std::string>("invalid key range, start key > end key");
    }
    if (!ranges.empty() && ranges.back().end == range.start_key() && !range.start_key().empty()) {
      ranges.back().end = range.end_key();
    } else {
      ranges.push_back({range.start_key(), range.end_key()});
    }
    previous = &range;
  }
  return ranges;
}

RpcResult<pdpb::BatchScanRegionsResponse> BatchScan(const ClusterCalls& calls,
                                                    const CallContext& context,
                                                    const pdpb::BatchScanRegionsRequest& request) {
  using Response = pdpb::BatchScanRegionsResponse;
  const auto answerer = CheckReadCall(calls, context, request.header().cluster_id());
  if (!answerer) return FailRpc(answerer.error());
  const bool leads = *answerer == Answerer::kLeader;
  if (leads && !calls.cluster.running()) return NotBootstrapped<Response>(calls);
  const auto ranges = RangesOf(request);
  if (!ranges) return BadAnswer<Response>(calls, pdpb::UNKNOWN, ranges.error());
  auto response = GoodAnswer<Response>(calls);
  size_t left = LimitOf(request.limit());
  scheduler::RegionId last;
  std::string hole;
  for (const scheduler::KeyRange& range : *ranges) {
    if (left == 0 || (!leads && !calls.cluster.synced())) break;
    // The first may be the one that the range before ended in.
    const size_t seam = last ? 1 : 0;
    for (const Region& region : ScanRange(calls.cluster.regions(), range, left + seam, hole)) {
      if (region.id == last || left == 0) continue;
      last = region.id;
      --left;
      pdpb::Region& out = *response.add_regions();
      SetScanned(region, out);
      if (WithBuckets(*answerer, request.need_buckets(), region)) {
        SetBuckets(region, *out.mutable_buckets());
      }
    }
    if (request.contain_all_key_range() && !hole.empty()) {
      return BadAnswer<Response>(calls, pdpb::REGIONS_NOT_CONTAIN_ALL_KEY_RANGE, hole);
    }
  }
  if (!leads && response.regions().empty()) {
    return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, std::string(kRegionNotFound));
  }
  return response;
}

/// One client's stream of queries: an answer for each, in order.
class QueryRegionSession final : public StreamSession<pdpb::QueryRegionRequest> {
 public:
  QueryRegionSession(const ClusterCalls& calls, StreamSink<pdpb::QueryRegionResponse> sink)
      : calls_(calls), sink_(std::move(sink)) {}

  void OnMessage(const pdpb::QueryRegionRequest& request) override {
    if (!calls_.started()) {
      sink_.Finish({StatusCode::kUnavailable, "server not started"});
      return;
    }
    if (request.header().cluster_id() != calls_.cluster_id()) {
      sink_.Finish({StatusCode::kFailedPrecondition,
                    fmt::format("mismatch cluster id, need {} but got {}", calls_.cluster_id(),
                                request.header().cluster_id())});
      return;
    }
    sink_.Write(Answer(request));
  }
  void OnHalfClose() override { sink_.Finish({}); }

 private:
  pdpb::QueryRegionResponse Answer(const pdpb::QueryRegionRequest& request) const {
    using Response = pdpb::QueryRegionResponse;
    const bool leads = calls_.serving();
    if (leads && !calls_.cluster.running()) return NotBootstrapped<Response>(calls_);
    if (!leads && !calls_.cluster.synced()) {
      return BadAnswer<Response>(calls_, pdpb::REGION_NOT_FOUND, std::string(kRegionNotFound));
    }
    const Answerer answerer = leads ? Answerer::kLeader : Answerer::kFollower;
    const pd::RegionTable& regions = calls_.cluster.regions();
    auto response = GoodAnswer<Response>(calls_);
    const auto add = [&](const std::optional<Region>& region) -> uint64_t {
      if (!region) return 0;
      auto [it, fresh] = response.mutable_regions_by_id()->insert({region->id.value, {}});
      if (fresh) Fill(*region, answerer, request.need_buckets(), it->second);
      return region->id.value;
    };
    for (const std::string& key : request.keys()) {
      response.add_key_id_map(add(regions.FindByKey(key)));
    }
    for (const std::string& key : request.prev_keys()) {
      response.add_prev_key_id_map(add(PreviousOfKey(regions, key)));
    }
    for (const uint64_t id : request.ids()) {
      if (id == 0) continue;
      if (add(regions.Find(scheduler::RegionId{id})) == 0) {
        response.mutable_regions_by_id()->insert({id, {}});
      }
    }
    return response;
  }

  static void Fill(const Region& region, Answerer answerer, bool need_buckets,
                   pdpb::RegionResponse& out) {
    pd::SetRegion(region, *out.mutable_region());
    if (region.HasLeader()) pd::SetPeer(region.leader, *out.mutable_leader());
    AddDownPeers(region, *out.mutable_down_peers());
    pd::AddPeers(region.pending_peers, *out.mutable_pending_peers());
    if (WithBuckets(answerer, need_buckets, region)) SetBuckets(region, *out.mutable_buckets());
  }

  const ClusterCalls calls_;
  StreamSink<pdpb::QueryRegionResponse> sink_;
};

}  // namespace

void AddRegionHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  AddGetRegion<pdpb::GetRegionRequest>(
      registry, calls, "/pdpb.PD/GetRegion",
      [](const pd::RegionTable& regions, const pdpb::GetRegionRequest& request) {
        return regions.FindByKey(request.region_key());
      });
  AddGetRegion<pdpb::GetRegionRequest>(
      registry, calls, "/pdpb.PD/GetPrevRegion",
      [](const pd::RegionTable& regions, const pdpb::GetRegionRequest& request) {
        return PreviousOfKey(regions, request.region_key());
      });
  AddGetRegion<pdpb::GetRegionByIDRequest>(
      registry, calls, "/pdpb.PD/GetRegionByID",
      [](const pd::RegionTable& regions, const pdpb::GetRegionByIDRequest& request) {
        return regions.Find(scheduler::RegionId{request.region_id()});
      });
  registry.Unary<pdpb::ScanRegionsRequest, pdpb::ScanRegionsResponse>(
      "/pdpb.PD/ScanRegions", kPdpbBlocking,
      [calls](const CallContext& context, const pdpb::ScanRegionsRequest& request) {
        return ScanRegions(calls, context, request);
      });
  registry.Unary<pdpb::BatchScanRegionsRequest, pdpb::BatchScanRegionsResponse>(
      "/pdpb.PD/BatchScanRegions", kPdpbBlocking,
      [calls](const CallContext& context, const pdpb::BatchScanRegionsRequest& request) {
        return BatchScan(calls, context, request);
      });
  registry.Stream<pdpb::QueryRegionRequest, pdpb::QueryRegionResponse>(
      "/pdpb.PD/QueryRegion", {RunOn::kIo, Forwarding::kNone, RateLimited::kYes},
      [calls](const CallContext&, StreamSink<pdpb::QueryRegionResponse> sink) {
        return std::make_unique<QueryRegionSession>(calls, std::move(sink));
      });
}

}  // namespace api

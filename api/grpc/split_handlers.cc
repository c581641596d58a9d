#include <fmt/format.h>

#include "api/grpc/cluster_calls.h"
#include "pd/codec/metapb_codec.h"
#include "pd/config/values.h"

// Splits that stores ask for and report (as in the reference).

namespace api {
namespace {

/// Batched splits came with this version of the stores.
bool KnowsBatchSplit(const std::string& cluster_version) {
  static const pd::Version kFirst{2, 1, 0, "rc.1", ""};
  const auto version = pd::ParseVersion(cluster_version);
  return version && *version >= kFirst;
}

/// A reason that this server does not know is as good as a person's.
scheduler::SplitReason ReasonOf(pdpb::SplitReason reason) {
  switch (reason) {
    case pdpb::SIZE:
      return scheduler::SplitReason::kSize;
    case pdpb::LOAD:
      return scheduler::SplitReason::kLoad;
    default:
      return scheduler::SplitReason::kAdmin;
  }
}

RpcResult<pdpb::AskSplitResponse> AskSplit(const ClusterCalls& calls,
                                           const pdpb::AskSplitRequest& request) {
  using Response = pdpb::AskSplitResponse;
  if (!request.has_region()) {
    return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, "missing region for split");
  }
  const auto splits = calls.cluster.AskSplit(pd::RegionOf(request.region()), 1);
  if (!splits) return UnknownAnswer<Response>(calls, splits.error());
  auto response = GoodAnswer<Response>(calls);
  response.set_new_region_id((*splits)[0].region_id);
  for (const uint64_t id : (*splits)[0].peer_ids) response.add_new_peer_ids(id);
  return response;
}

RpcResult<pdpb::AskBatchSplitResponse> AskBatchSplit(const ClusterCalls& calls,
                                                     const pdpb::AskBatchSplitRequest& request) {
  using Response = pdpb::AskBatchSplitResponse;
  const std::string version = calls.cluster.config().online()->cluster_version;
  if (!KnowsBatchSplit(version)) {
    return BadAnswer<Response>(
        calls, pdpb::INCOMPATIBLE_VERSION,
        fmt::format("batch_split incompatible with current cluster version {}", version));
  }
  if (!request.has_region()) {
    return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, "missing region for split");
  }
  const auto splits = calls.cluster.AskSplit(pd::RegionOf(request.region()), request.split_count(),
                                             ReasonOf(request.reason()));
  if (!splits) return UnknownAnswer<Response>(calls, splits.error());
  auto response = GoodAnswer<Response>(calls);
  for (const pd::Cluster::SplitIds& split : *splits) {
    pdpb::SplitID& ids = *response.add_ids();
    ids.set_new_region_id(split.region_id);
    for (const uint64_t id : split.peer_ids) ids.add_new_peer_ids(id);
  }
  return response;
}

bool Adjacent(const metapb::Region& left, const metapb::Region& right) {
  return left.end_key() == right.start_key() &&
         (left.start_key() < right.end_key() || right.end_key().empty());
}

bool IsValidSplit(const pdpb::ReportSplitRequest& request) {
  return request.has_left() && request.has_right() && Adjacent(request.left(), request.right());
}

bool IsValidSplit(const pdpb::ReportBatchSplitRequest& request) {
  if (request.regions_size() < 2) return false;
  for (int i = 0; i + 1 < request.regions_size(); ++i) {
    if (!Adjacent(request.regions(i), request.regions(i + 1))) return false;
  }
  return true;
}

/// Reports are only looked at: the new regions become known by their heartbeats.
template <class Request, class Response>
void AddReport(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name) {
  AddRunningCall<Request, Response>(
      registry, calls, name, kPdpbFast, [calls](const Request& request) -> RpcResult<Response> {
        if (IsValidSplit(request)) return GoodAnswer<Response>(calls);
        return BadAnswer<Response>(calls, pdpb::UNKNOWN, "invalid split region");
      });
}

}  // namespace

void AddSplitHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  AddRunningCall<pdpb::AskSplitRequest, pdpb::AskSplitResponse>(
      registry, calls, "/pdpb.PD/AskSplit", kPdpbBlocking,
      [calls](const pdpb::AskSplitRequest& request) { return AskSplit(calls, request); });
  AddBootstrapFirstCall<pdpb::AskBatchSplitRequest, pdpb::AskBatchSplitResponse>(
      registry, calls, "/pdpb.PD/AskBatchSplit", kPdpbBlocking,
      [calls](const pdpb::AskBatchSplitRequest& request) { return AskBatchSplit(calls, request); });
  AddReport<pdpb::ReportSplitRequest, pdpb::ReportSplitResponse>(registry, calls,
                                                                 "/pdpb.PD/ReportSplit");
  AddReport<pdpb::ReportBatchSplitRequest, pdpb::ReportBatchSplitResponse>(
      registry, calls, "/pdpb.PD/ReportBatchSplit");
}

}  // namespace api

#include <fmt/format.h>

#include "api/convert/go_text.h"
#include "api/grpc/cluster_calls.h"
#include "pd/codec/metapb_codec.h"

// Bootstrap, the cluster's own record, and the timestamps that stores and backups hang on it (as in the reference).

namespace api {
namespace {

RpcResult<pdpb::BootstrapResponse> Bootstrap(const ClusterCalls& calls,
                                             const pdpb::BootstrapRequest& request) {
  std::optional<scheduler::Store> store;
  std::optional<scheduler::Region> region;
  if (request.has_store()) store = pd::StoreOf(request.store());
  if (request.has_region()) region = pd::RegionOf(request.region());
  if (auto done = calls.cluster.Bootstrap(store, region); !done) {
    if (done.error().code == pd::ErrorCode::kAlreadyExists) {
      return BadAnswer<pdpb::BootstrapResponse>(calls, pdpb::ALREADY_BOOTSTRAPPED,
                                                done.error().context);
    }
    return UnknownAnswer<pdpb::BootstrapResponse>(calls, done.error());
  }
  auto response = GoodAnswer<pdpb::BootstrapResponse>(calls);
  response.mutable_replication_status();
  return response;
}

RpcResult<pdpb::PutClusterConfigResponse> PutConfig(const ClusterCalls& calls,
                                                    const pdpb::PutClusterConfigRequest& request) {
  const metapb::Cluster& cluster = request.cluster();
  if (cluster.id() != calls.cluster_id()) {
    return BadAnswer<pdpb::PutClusterConfigResponse>(
        calls, pdpb::UNKNOWN,
        fmt::format("invalid cluster {}, mismatch cluster id {}",
                    request.has_cluster() ? GoText(cluster) : "<nil>", calls.cluster_id()));
  }
  if (auto put = calls.cluster.PutMeta({cluster.id(), cluster.max_peer_count()}); !put) {
    return UnknownAnswer<pdpb::PutClusterConfigResponse>(calls, put.error());
  }
  return GoodAnswer<pdpb::PutClusterConfigResponse>(calls);
}

RpcResult<pdpb::SetExternalTimestampResponse> SetExternal(
    const ClusterCalls& calls, const pdpb::SetExternalTimestampRequest& request) {
  using Response = pdpb::SetExternalTimestampResponse;
  const auto now = calls.timestamp();
  if (!now) return FailRpc(StatusCode::kUnknown, now.error().context);
  const auto set = calls.cluster.SetExternalTimestamp(request.timestamp(), *now);
  if (set) return GoodAnswer<Response>(calls);
  const pd::ErrorCode code = set.error().code;
  if (code == pd::ErrorCode::kInvalidArgument || code == pd::ErrorCode::kNotBootstrapped) {
    return BadAnswer<Response>(calls, pdpb::INVALID_VALUE, set.error().context);
  }
  return UnknownAnswer<Response>(calls, set.error());
}

void AddTimestampHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  AddRunningCall<pdpb::ReportMinResolvedTsRequest, pdpb::ReportMinResolvedTsResponse>(
      registry, calls, "/pdpb.PD/ReportMinResolvedTS", kPdpbFast,
      [calls](const pdpb::ReportMinResolvedTsRequest& request)
          -> RpcResult<pdpb::ReportMinResolvedTsResponse> {
        const scheduler::StoreId store{request.store_id()};
        if (auto done = calls.cluster.ReportMinResolvedTs(store, request.min_resolved_ts());
            !done) {
          return FailRpc(StatusCode::kUnknown, done.error().context);
        }
        return GoodAnswer<pdpb::ReportMinResolvedTsResponse>(calls);
      });
  registry.Unary<pdpb::SetExternalTimestampRequest, pdpb::SetExternalTimestampResponse>(
      "/pdpb.PD/SetExternalTimestamp", kPdpbBlocking,
      [calls](const CallContext&, const pdpb::SetExternalTimestampRequest& request)
          -> RpcResult<pdpb::SetExternalTimestampResponse> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        return SetExternal(calls, request);
      });
  registry.Unary<pdpb::GetExternalTimestampRequest, pdpb::GetExternalTimestampResponse>(
      "/pdpb.PD/GetExternalTimestamp", kPdpbFast,
      [calls](const CallContext&, const pdpb::GetExternalTimestampRequest& request)
          -> RpcResult<pdpb::GetExternalTimestampResponse> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        auto response = GoodAnswer<pdpb::GetExternalTimestampResponse>(calls);
        response.set_timestamp(calls.cluster.ExternalTimestamp());
        return response;
      });
}

}  // namespace

void AddClusterHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  registry.Unary<pdpb::BootstrapRequest, pdpb::BootstrapResponse>(
      "/pdpb.PD/Bootstrap", kPdpbBlocking,
      [calls](const CallContext&,
              const pdpb::BootstrapRequest& request) -> RpcResult<pdpb::BootstrapResponse> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        return Bootstrap(calls, request);
      });
  registry.Unary<pdpb::IsBootstrappedRequest, pdpb::IsBootstrappedResponse>(
      "/pdpb.PD/IsBootstrapped", kPdpbFast,
      [calls](const CallContext&, const pdpb::IsBootstrappedRequest& request)
          -> RpcResult<pdpb::IsBootstrappedResponse> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        auto response = GoodAnswer<pdpb::IsBootstrappedResponse>(calls);
        response.set_bootstrapped(calls.cluster.running());
        return response;
      });
  AddRunningCall<pdpb::GetClusterConfigRequest, pdpb::GetClusterConfigResponse>(
      registry, calls, "/pdpb.PD/GetClusterConfig", kPdpbBlocking,
      [calls](const pdpb::GetClusterConfigRequest&) -> RpcResult<pdpb::GetClusterConfigResponse> {
        const auto meta = calls.cluster.Meta();
        if (!meta) return UnknownAnswer<pdpb::GetClusterConfigResponse>(calls, meta.error());
        auto response = GoodAnswer<pdpb::GetClusterConfigResponse>(calls);
        response.mutable_cluster()->set_id(meta->id);
        response.mutable_cluster()->set_max_peer_count(meta->max_peer_count);
        return response;
      });
  AddRunningCall<pdpb::PutClusterConfigRequest, pdpb::PutClusterConfigResponse>(
      registry, calls, "/pdpb.PD/PutClusterConfig", kPdpbBlocking,
      [calls](const pdpb::PutClusterConfigRequest& request) { return PutConfig(calls, request); });
  AddTimestampHandlers(registry, calls);
}

}  // namespace api

#include "api/grpc/operator_handlers.h"

#include <vector>

#include "api/error_map.h"
#include "pd/codec/metapb_codec.h"

namespace api {
namespace {

pdpb::OperatorStatus StatusOf(scheduler::Status status) {
  switch (status) {
    case scheduler::Status::kCreated:
    case scheduler::Status::kStarted:
      return pdpb::RUNNING;
    case scheduler::Status::kSuccess:
      return pdpb::SUCCESS;
    case scheduler::Status::kCanceled:
      return pdpb::CANCEL;
    case scheduler::Status::kReplaced:
      return pdpb::REPLACE;
    case scheduler::Status::kTimeout:
      return pdpb::TIMEOUT;
  }
  return pdpb::RUNNING;
}

RpcResult<pdpb::GetOperatorResponse> GetOperator(const ClusterCalls& calls,
                                                 const pd::Coordinator& coordinator,
                                                 const pdpb::GetOperatorRequest& request) {
  const auto info = coordinator.operators().Find({request.region_id()});
  if (!info) {
    return BadAnswer<pdpb::GetOperatorResponse>(calls, pdpb::REGION_NOT_FOUND, "Not Found");
  }
  auto response = GoodAnswer<pdpb::GetOperatorResponse>(calls);
  response.set_region_id(request.region_id());
  response.set_desc(info->op.plan().desc);
  response.set_kind(KindText(info->op.plan().kind));
  response.set_status(StatusOf(info->op.status()));
  return response;
}

RpcResult<pdpb::SplitRegionsResponse> SplitRegions(const ClusterCalls& calls,
                                                   pd::Coordinator& coordinator,
                                                   const pdpb::SplitRegionsRequest& request) {
  const auto splits = coordinator.jobs().Split(
      {request.split_keys().begin(), request.split_keys().end()}, request.retry_limit());
  if (!splits) return FailRpc(ToRpcStatus(splits.error()));
  auto response = GoodAnswer<pdpb::SplitRegionsResponse>(calls);
  response.set_finished_percentage(splits->percentage);
  for (const scheduler::RegionId id : splits->regions) response.add_regions_id(id.value);
  return response;
}

scheduler::Limits LimitsOf(const pdpb::ScatterRegionRequest& request) {
  return request.skip_store_limit() ? scheduler::Limits::kPassed : scheduler::Limits::kObeyed;
}

/// Several regions: how many were dealt with, and which were not.
RpcResult<pdpb::ScatterRegionResponse> ScatterMany(const ClusterCalls& calls,
                                                   pd::Coordinator& coordinator,
                                                   const pdpb::ScatterRegionRequest& request) {
  std::vector<scheduler::RegionId> ids;
  for (const uint64_t id : request.regions_id()) ids.push_back({id});
  const auto scattered =
      coordinator.jobs().Scatter(ids, request.group(), request.retry_limit(), LimitsOf(request));
  if (!scattered) {
    const bool unknown = scattered.error().code == pd::ErrorCode::kNotFound;
    // The reference forgets to fill the number in; programs may look for its words.
    if (unknown && ids.size() == 1) {
      return FailRpc({StatusCode::kUnknown, "[PD:region:ErrRegionNotFound]region %v not found"});
    }
    return FailRpc(ToRpcStatus(scattered.error()));
  }
  auto response = GoodAnswer<pdpb::ScatterRegionResponse>(calls);
  response.set_finished_percentage(scattered->percentage);
  for (const auto& [id, why] : scattered->refused) response.add_failed_regions_id(id.value);
  return response;
}

RpcResult<pdpb::ScatterRegionResponse> ScatterRegion(const ClusterCalls& calls,
                                                     pd::Coordinator& coordinator,
                                                     const pdpb::ScatterRegionRequest& request) {
  using Response = pdpb::ScatterRegionResponse;
  if (request.regions_id_size() > 0) return ScatterMany(calls, coordinator, request);
  auto region = calls.cluster.regions().Find({request.region_id()});
  if (!region) {
    if (!request.has_region()) {
      return BadAnswer<Response>(calls, pdpb::REGION_NOT_FOUND, "region %d not found");
    }
    region = pd::RegionOf(request.region());
    region->leader = pd::PeerOf(request.leader());
  }
  const auto done = coordinator.jobs().ScatterOne(*region, request.group(), LimitsOf(request));
  if (!done && done.error().code == pd::ErrorCode::kUnavailable) {
    return BadAnswer<Response>(calls, pdpb::UNKNOWN, done.error().context);
  }
  if (!done) return FailRpc(ToRpcStatus(done.error()));
  auto response = GoodAnswer<Response>(calls);
  response.set_finished_percentage(100);
  return response;
}

RpcResult<pdpb::SplitAndScatterRegionsResponse> SplitAndScatter(
    const ClusterCalls& calls, pd::Coordinator& coordinator,
    const pdpb::SplitAndScatterRegionsRequest& request) {
  const auto splits = coordinator.jobs().Split(
      {request.split_keys().begin(), request.split_keys().end()}, request.retry_limit());
  if (!splits) return FailRpc(ToRpcStatus(splits.error()));
  const auto scattered =
      coordinator.jobs().Scatter(splits->regions, request.group(), request.retry_limit());
  if (!scattered) return FailRpc(ToRpcStatus(scattered.error()));
  auto response = GoodAnswer<pdpb::SplitAndScatterRegionsResponse>(calls);
  response.set_split_finished_percentage(splits->percentage);
  response.set_scatter_finished_percentage(scattered->percentage);
  for (const scheduler::RegionId id : splits->regions) response.add_regions_id(id.value);
  return response;
}

}  // namespace

void AddOperatorHandlers(MethodRegistry& registry, const ClusterCalls& calls,
                         pd::Coordinator& coordinator) {
  AddBootstrapFirstCall<pdpb::GetOperatorRequest, pdpb::GetOperatorResponse>(
      registry, calls, "/pdpb.PD/GetOperator", kPdpbFast,
      [calls, &coordinator](const pdpb::GetOperatorRequest& request) {
        return GetOperator(calls, coordinator, request);
      });
  AddBootstrapFirstCall<pdpb::SplitRegionsRequest, pdpb::SplitRegionsResponse>(
      registry, calls, "/pdpb.PD/SplitRegions", kPdpbBlocking,
      [calls, &coordinator](const pdpb::SplitRegionsRequest& request) {
        return SplitRegions(calls, coordinator, request);
      });
  AddBootstrapFirstCall<pdpb::ScatterRegionRequest, pdpb::ScatterRegionResponse>(
      registry, calls, "/pdpb.PD/ScatterRegion", kPdpbBlocking,
      [calls, &coordinator](const pdpb::ScatterRegionRequest& request) {
        return ScatterRegion(calls, coordinator, request);
      });
  AddRunningCall<pdpb::SplitAndScatterRegionsRequest, pdpb::SplitAndScatterRegionsResponse>(
      registry, calls, "/pdpb.PD/SplitAndScatterRegions", kPdpbBlocking,
      [calls, &coordinator](const pdpb::SplitAndScatterRegionsRequest& request) {
        return SplitAndScatter(calls, coordinator, request);
      });
}

}  // namespace api

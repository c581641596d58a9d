#include "api/grpc/operator_handlers.h"

#include "api/error_map.h"

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
}

}  // namespace api

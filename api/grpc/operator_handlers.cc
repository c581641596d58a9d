#include "api/grpc/operator_handlers.h"

#include "api/error_map.h"
#include "api/grpc/request_checks.h"

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
    case scheduler::Status::kExpired:
    case scheduler::Status::kTimeout:
      return pdpb::TIMEOUT;
  }
  return pdpb::RUNNING;
}

RpcResult<pdpb::GetOperatorResponse> GetOperator(const pd::PdServer& server,
                                                 const pd::Coordinator& coordinator,
                                                 const pdpb::GetOperatorRequest& request) {
  const auto info = coordinator.operators().Find({request.region_id()});
  if (!info) {
    return HeaderError<pdpb::GetOperatorResponse>(server.cluster_id(), pdpb::REGION_NOT_FOUND,
                                                  "Not Found");
  }
  auto response = NewResponse<pdpb::GetOperatorResponse>(server);
  response.set_region_id(request.region_id());
  response.set_desc(info->op.plan().desc);
  response.set_kind(KindText(info->op.plan().kind));
  response.set_status(StatusOf(info->op.status()));
  return response;
}

}  // namespace

void AddOperatorHandlers(MethodRegistry& registry, pd::PdServer& server,
                         pd::Coordinator& coordinator) {
  registry.Unary<pdpb::GetOperatorRequest, pdpb::GetOperatorResponse>(
      "/pdpb.PD/GetOperator", kPdpbFast,
      [&server, &coordinator](const CallContext&, const pdpb::GetOperatorRequest& request)
          -> RpcResult<pdpb::GetOperatorResponse> {
        if (!coordinator.cluster().running()) {
          return HeaderError<pdpb::GetOperatorResponse>(server.cluster_id(), pdpb::NOT_BOOTSTRAPPED,
                                                        "cluster is not bootstrapped");
        }
        if (auto refused = CheckLeaderCall(server, request)) return FailRpc(*refused);
        return GetOperator(server, coordinator, request);
      });
}

}  // namespace api

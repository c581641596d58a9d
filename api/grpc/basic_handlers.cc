#include "api/grpc/basic_handlers.h"

#include "api/convert/member_convert.h"
#include "api/error_map.h"
#include "api/grpc/request_checks.h"
#include "proto/health.pb.h"

namespace api {
namespace {

/// Answered by every member, whatever its role and whatever cluster the client means (as in the reference).
constexpr MethodOptions kAnyMember{RunOn::kPool, Forwarding::kNone, RateLimited::kYes};
constexpr MethodOptions kAnyMemberUnlimited{RunOn::kIo, Forwarding::kNone, RateLimited::kNo};

RpcResult<pdpb::GetMembersResponse> GetMembers(pd::PdServer& server) {
  if (auto refused = CheckStarted(server)) return FailRpc(*refused);
  auto response = NewResponse<pdpb::GetMembersResponse>(server);
  for (const pd::Member& member : server.members().List())
    FillMember(member, *response.add_members());
  if (const auto leader = server.members().PdLeader())
    FillMember(*leader, *response.mutable_leader());
  if (const auto leader = server.members().RaftLeader()) {
    FillMember(*leader, *response.mutable_etcd_leader());
  }
  return response;
}

RpcResult<pdpb::GetClusterInfoResponse> GetClusterInfo(pd::PdServer& server) {
  if (auto refused = CheckStarted(server)) return FailRpc(*refused);
  auto response = NewResponse<pdpb::GetClusterInfoResponse>(server);
  response.add_servicemodes(pdpb::PD_SVC_MODE);
  return response;
}

RpcResult<pdpb::AllocIDResponse> AllocId(pd::PdServer& server,
                                         const pdpb::AllocIDRequest& request) {
  if (auto refused = CheckLeaderCall(server, request)) return FailRpc(*refused);
  const auto id = server.ids().Allocate(request.count());
  if (!id) return AnswerError<pdpb::AllocIDResponse>(server.cluster_id(), id.error());
  auto response = NewResponse<pdpb::AllocIDResponse>(server);
  response.set_id(*id);
  if (request.count() > 1) response.set_count(request.count());
  return response;
}

RpcResult<pdpb::IsSnapshotRecoveringResponse> IsSnapshotRecovering(pd::PdServer& server) {
  if (auto refused = CheckStarted(server)) return FailRpc(*refused);
  auto response = NewResponse<pdpb::IsSnapshotRecoveringResponse>(server);
  const auto marker = server.meta().Get(server.Key("/cluster/markers/snapshot-recovering"),
                                        pd::Consistency::kLocal);
  if (!marker)
    return AnswerError<pdpb::IsSnapshotRecoveringResponse>(server.cluster_id(), marker.error());
  response.set_marked(marker->has_value());
  return response;
}

RpcResult<pdpb::GetMinTSResponse> GetMinTs(pd::PdServer& server,
                                           const pdpb::GetMinTSRequest& request) {
  if (auto refused = CheckLeaderCall(server, request)) return FailRpc(*refused);
  auto response = NewResponse<pdpb::GetMinTSResponse>(server);
  // A failure still answers OK, with a zero timestamp (as in the reference).
  const auto granted = server.tso().Generate(1);
  response.mutable_timestamp()->set_physical(granted ? granted->physical_ms : 0);
  response.mutable_timestamp()->set_logical(granted ? granted->logical : 0);
  return response;
}

void RegisterHealth(MethodRegistry& methods, pd::PdServer& server) {
  methods.Unary<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>(
      "/grpc.health.v1.Health/Check", kAnyMemberUnlimited,
      [&server](const CallContext&, const grpc::health::v1::HealthCheckRequest& request)
          -> RpcResult<grpc::health::v1::HealthCheckResponse> {
        if (!request.service().empty()) return FailRpc(StatusCode::kNotFound, "unknown service");
        grpc::health::v1::HealthCheckResponse response;
        response.set_status(server.started() ? grpc::health::v1::HealthCheckResponse::SERVING
                                             : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
        return response;
      });
}

}  // namespace

void RegisterBasicHandlers(MethodRegistry& methods, pd::PdServer& server) {
  methods.Unary<pdpb::GetMembersRequest, pdpb::GetMembersResponse>(
      "/pdpb.PD/GetMembers", kAnyMember,
      [&server](const CallContext&, const pdpb::GetMembersRequest&) { return GetMembers(server); });
  methods.Unary<pdpb::GetClusterInfoRequest, pdpb::GetClusterInfoResponse>(
      "/pdpb.PD/GetClusterInfo", kAnyMemberUnlimited,
      [&server](const CallContext&, const pdpb::GetClusterInfoRequest&) {
        return GetClusterInfo(server);
      });
  methods.Unary<pdpb::AllocIDRequest, pdpb::AllocIDResponse>(
      "/pdpb.PD/AllocID", kPdpbBlocking,
      [&server](const CallContext&, const pdpb::AllocIDRequest& request) {
        return AllocId(server, request);
      });
  methods.Unary<pdpb::IsSnapshotRecoveringRequest, pdpb::IsSnapshotRecoveringResponse>(
      "/pdpb.PD/IsSnapshotRecovering", kAnyMember,
      [&server](const CallContext&, const pdpb::IsSnapshotRecoveringRequest&) {
        return IsSnapshotRecovering(server);
      });
  methods.Unary<pdpb::GetMinTSRequest, pdpb::GetMinTSResponse>(
      "/pdpb.PD/GetMinTS", kPdpbBlocking,
      [&server](const CallContext&, const pdpb::GetMinTSRequest& request) {
        return GetMinTs(server, request);
      });
  methods.Unary<pdpb::SyncMaxTSRequest, pdpb::SyncMaxTSResponse>(
      "/pdpb.PD/SyncMaxTS", kAnyMemberUnlimited,
      [&server](const CallContext&,
                const pdpb::SyncMaxTSRequest&) -> RpcResult<pdpb::SyncMaxTSResponse> {
        return NewResponse<pdpb::SyncMaxTSResponse>(server);
      });
  methods.Unary<pdpb::GetDCLocationInfoRequest, pdpb::GetDCLocationInfoResponse>(
      "/pdpb.PD/GetDCLocationInfo", kAnyMemberUnlimited,
      [&server](const CallContext&, const pdpb::GetDCLocationInfoRequest&)
          -> RpcResult<pdpb::GetDCLocationInfoResponse> {
        return NewResponse<pdpb::GetDCLocationInfoResponse>(server);
      });
  RegisterHealth(methods, server);
}

}  // namespace api

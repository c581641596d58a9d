#include <utility>

#include <fmt/format.h>

#include "api/grpc/cluster_calls.h"

// Garbage collection of old versions (as in the reference). The "new" RPCs put failures into the header, the "old" ones
// end with status Unknown.

namespace api {
namespace {

using pd::SafePoints;

constexpr uint32_t kNullKeyspace = 4294967295;
constexpr uint32_t kKeyspaceBits = 24;
constexpr uint32_t kDefaultKeyspace = 0;

/// Whose safe point a request means. Users' calls on a keyspace without its own GC go to the whole cluster; calls of
/// the GC itself are refused there.
enum class Caller : uint8_t { kUser, kGarbageCollector };

/// Nothing when the call may go on for the null keyspace.
std::optional<std::string> RefuseKeyspace(uint32_t keyspace, Caller caller) {
  if (keyspace >> kKeyspaceBits != 0) return std::nullopt;
  if (keyspace != kDefaultKeyspace) {
    return "[PD:keyspace:ErrKeyspaceNotFound]keyspace does not exist";
  }
  if (caller == Caller::kUser) return std::nullopt;
  return "[PD:gc:ErrGCOnInvalidKeyspace]trying to manage GC in keyspace DEFAULT (id: 0) where "
         "keyspace level GC is not enabled";
}

/// Unset means the null keyspace; set without an id means keyspace 0.
template <class Request>
uint32_t ScopeOf(const Request& request) {
  return request.has_keyspace_scope() ? request.keyspace_scope().keyspace_id() : kNullKeyspace;
}

/// Registers a new RPC: the scope is looked at, then `handle(request, response) -> Result<void>`.
template <class Request, class Response, class Handle>
void AddNew(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name,
            Caller caller, Handle handle) {
  AddRunningCall<Request, Response>(
      registry, calls, name, kPdpbBlocking,
      [calls, caller, handle](const Request& request) -> RpcResult<Response> {
        static_cast<void>(caller);  // Of messages with a scope only.
        if constexpr (requires { request.keyspace_scope(); }) {
          if (auto refused = RefuseKeyspace(ScopeOf(request), caller)) {
            return BadAnswer<Response>(calls, pdpb::UNKNOWN, *refused);
          }
        }
        auto response = GoodAnswer<Response>(calls);
        const pd::Result<void> done = handle(calls.cluster.safe_points(), request, response);
        if (!done) return UnknownAnswer<Response>(calls, done.error());
        return response;
      });
}

/// Registers an old RPC: failures end the call with Unknown.
template <class Request, class Response, class Handle>
void AddOld(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name,
            Caller caller, Handle handle) {
  AddRunningCall<Request, Response>(
      registry, calls, name, kPdpbBlocking,
      [calls, caller, handle](const Request& request) -> RpcResult<Response> {
        static_cast<void>(caller);  // Of messages with a keyspace only.
        if constexpr (requires { request.keyspace_id(); }) {
          if (auto refused = RefuseKeyspace(request.keyspace_id(), caller)) {
            return FailRpc(StatusCode::kUnknown, *refused);
          }
        }
        auto response = GoodAnswer<Response>(calls);
        const pd::Result<void> done = handle(calls.cluster.safe_points(), request, response);
        if (done) return response;
        if (EndsCall(done.error().code)) return FailRpc(ToRpcStatus(done.error()));
        return FailRpc(StatusCode::kUnknown, done.error().context);
      });
}

template <class Info>
void SetBarrier(const SafePoints& points, const SafePoints::Barrier& barrier, Info& out) {
  out.set_barrier_id(barrier.id);
  out.set_barrier_ts(barrier.ts);
  out.set_ttl_seconds(points.Remaining(barrier));
}

void SetState(const SafePoints& points, const SafePoints::State& state, bool with_barriers,
              pdpb::GCState& out) {
  out.mutable_keyspace_scope()->set_keyspace_id(kNullKeyspace);
  out.set_txn_safe_point(state.txn);
  out.set_gc_safe_point(state.gc);
  if (!with_barriers) return;
  for (const SafePoints::Barrier& barrier : state.barriers) {
    if (barrier.id != SafePoints::kGcWorker) SetBarrier(points, barrier, *out.add_gc_barriers());
  }
}

template <class Request, class Response>
pd::Result<void> PutBarrier(SafePoints& points, SafePoints::Scope scope, const Request& request,
                            Response& response) {
  const auto set =
      points.SetBarrier(scope, request.barrier_id(), request.barrier_ts(), request.ttl_seconds());
  if (!set) return tl::unexpected<pd::Error>(set.error());
  SetBarrier(points, *set, *response.mutable_new_barrier_info());
  return {};
}

template <class Request, class Response>
pd::Result<void> DropBarrier(SafePoints& points, SafePoints::Scope scope, const Request& request,
                             Response& response) {
  const auto deleted = points.DeleteBarrier(scope, request.barrier_id());
  if (!deleted) return tl::unexpected<pd::Error>(deleted.error());
  if (*deleted) SetBarrier(points, **deleted, *response.mutable_deleted_barrier_info());
  return {};
}

template <class Request, class Response>
pd::Result<void> UpdateService(const ClusterCalls& calls, SafePoints& points,
                               const Request& request, Response& response, int64_t ttl_s) {
  // "Now" is the oracle's: without it there is no telling what is old.
  if (const auto now = calls.timestamp(); !now) return tl::unexpected<pd::Error>(now.error());
  const auto service = points.UpdateService(request.service_id(), request.safe_point(), ttl_s);
  if (!service) return tl::unexpected<pd::Error>(service.error());
  response.set_service_id(service->id);
  response.set_min_safe_point(service->safe_point);
  return {};
}

/// What an answer gives as time to live: for ever, less now.
int64_t AnsweredTtl(const ClusterCalls& calls) {
  constexpr int64_t kNsPerS = 1'000'000'000;
  return SafePoints::kForever - calls.cluster.clock().UnixNanos() / kNsPerS;
}

void AddStateCalls(MethodRegistry& registry, const ClusterCalls& calls) {
  AddNew<pdpb::GetGCStateRequest, pdpb::GetGCStateResponse>(
      registry, calls, "/pdpb.PD/GetGCState", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) -> pd::Result<void> {
        const auto state = points.Read();
        if (!state) return tl::unexpected<pd::Error>(state.error());
        SetState(points, *state, !request.exclude_gc_barriers(), *response.mutable_gc_state());
        if (!request.include_global_gc_barriers()) return {};
        pdpb::GlobalGCBarriersInfo& global = *response.mutable_global_gc_barriers();
        for (const auto& barrier : state->global_barriers) {
          SetBarrier(points, barrier, *global.add_barriers());
        }
        return {};
      });
  AddNew<pdpb::GetAllKeyspacesGCStatesRequest, pdpb::GetAllKeyspacesGCStatesResponse>(
      registry, calls, "/pdpb.PD/GetAllKeyspacesGCStates", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) -> pd::Result<void> {
        const auto state = points.Read();
        if (!state) return tl::unexpected<pd::Error>(state.error());
        SetState(points, *state, !request.exclude_gc_barriers(), *response.add_gc_states());
        // Keyspaces without their own GC are listed without numbers.
        response.add_gc_states()->mutable_keyspace_scope()->set_keyspace_id(kDefaultKeyspace);
        if (request.exclude_global_gc_barriers()) return {};
        for (const auto& barrier : state->global_barriers) {
          SetBarrier(points, barrier, *response.add_global_gc_barriers());
        }
        return {};
      });
}

void AddNewCalls(MethodRegistry& registry, const ClusterCalls& calls) {
  using Scope = SafePoints::Scope;
  AddNew<pdpb::AdvanceTxnSafePointRequest, pdpb::AdvanceTxnSafePointResponse>(
      registry, calls, "/pdpb.PD/AdvanceTxnSafePoint", Caller::kGarbageCollector,
      [](SafePoints& points, const auto& request, auto& response) -> pd::Result<void> {
        const auto advanced = points.AdvanceTxn(request.target());
        if (!advanced) return tl::unexpected<pd::Error>(advanced.error());
        response.set_old_txn_safe_point(advanced->before);
        response.set_new_txn_safe_point(advanced->after);
        response.set_blocker_description(advanced->blocker);
        return {};
      });
  AddNew<pdpb::AdvanceGCSafePointRequest, pdpb::AdvanceGCSafePointResponse>(
      registry, calls, "/pdpb.PD/AdvanceGCSafePoint", Caller::kGarbageCollector,
      [](SafePoints& points, const auto& request, auto& response) -> pd::Result<void> {
        const auto advanced = points.AdvanceGc(request.target());
        if (!advanced) return tl::unexpected<pd::Error>(advanced.error());
        response.set_old_gc_safe_point(advanced->before);
        response.set_new_gc_safe_point(advanced->after);
        return {};
      });
  AddNew<pdpb::SetGCBarrierRequest, pdpb::SetGCBarrierResponse>(
      registry, calls, "/pdpb.PD/SetGCBarrier", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) {
        return PutBarrier(points, Scope::kCluster, request, response);
      });
  AddNew<pdpb::DeleteGCBarrierRequest, pdpb::DeleteGCBarrierResponse>(
      registry, calls, "/pdpb.PD/DeleteGCBarrier", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) {
        return DropBarrier(points, Scope::kCluster, request, response);
      });
  AddNew<pdpb::SetGlobalGCBarrierRequest, pdpb::SetGlobalGCBarrierResponse>(
      registry, calls, "/pdpb.PD/SetGlobalGCBarrier", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) {
        return PutBarrier(points, Scope::kGlobal, request, response);
      });
  AddNew<pdpb::DeleteGlobalGCBarrierRequest, pdpb::DeleteGlobalGCBarrierResponse>(
      registry, calls, "/pdpb.PD/DeleteGlobalGCBarrier", Caller::kUser,
      [](SafePoints& points, const auto& request, auto& response) {
        return DropBarrier(points, Scope::kGlobal, request, response);
      });
}

template <class Request, class Response>
void AddGetSafePoint(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name) {
  AddOld<Request, Response>(
      registry, calls, name, Caller::kGarbageCollector,
      [](SafePoints& points, const Request&, Response& response) -> pd::Result<void> {
        const auto state = points.Read();
        if (!state) return tl::unexpected<pd::Error>(state.error());
        response.set_safe_point(state->gc);
        return {};
      });
}

template <class Request, class Response>
void AddUpdateSafePoint(MethodRegistry& registry, const ClusterCalls& calls,
                        std::string_view name) {
  AddOld<Request, Response>(
      registry, calls, name, Caller::kGarbageCollector,
      [](SafePoints& points, const Request& request, Response& response) -> pd::Result<void> {
        const auto raised = points.RaiseGc(request.safe_point());
        if (!raised) return tl::unexpected<pd::Error>(raised.error());
        response.set_new_safe_point(*raised);
        return {};
      });
}

void AddOldCalls(MethodRegistry& registry, const ClusterCalls& calls) {
  AddGetSafePoint<pdpb::GetGCSafePointRequest, pdpb::GetGCSafePointResponse>(
      registry, calls, "/pdpb.PD/GetGCSafePoint");
  AddGetSafePoint<pdpb::GetGCSafePointV2Request, pdpb::GetGCSafePointV2Response>(
      registry, calls, "/pdpb.PD/GetGCSafePointV2");
  AddUpdateSafePoint<pdpb::UpdateGCSafePointRequest, pdpb::UpdateGCSafePointResponse>(
      registry, calls, "/pdpb.PD/UpdateGCSafePoint");
  AddUpdateSafePoint<pdpb::UpdateGCSafePointV2Request, pdpb::UpdateGCSafePointV2Response>(
      registry, calls, "/pdpb.PD/UpdateGCSafePointV2");
  AddOld<pdpb::UpdateServiceGCSafePointRequest, pdpb::UpdateServiceGCSafePointResponse>(
      registry, calls, "/pdpb.PD/UpdateServiceGCSafePoint", Caller::kUser,
      [calls](SafePoints& points, const auto& request, auto& response) {
        response.set_ttl(AnsweredTtl(calls));
        return UpdateService(calls, points, request, response, request.ttl());
      });
  AddOld<pdpb::UpdateServiceSafePointV2Request, pdpb::UpdateServiceSafePointV2Response>(
      registry, calls, "/pdpb.PD/UpdateServiceSafePointV2", Caller::kUser,
      [calls](SafePoints& points, const auto& request, auto& response) {
        response.set_ttl(AnsweredTtl(calls));
        return UpdateService(calls, points, request, response, request.ttl());
      });
  AddRunningCall<pdpb::GetAllGCSafePointV2Request, pdpb::GetAllGCSafePointV2Response>(
      registry, calls, "/pdpb.PD/GetAllGCSafePointV2", kPdpbFast,
      [calls](
          const pdpb::GetAllGCSafePointV2Request&) -> RpcResult<pdpb::GetAllGCSafePointV2Response> {
        auto response = GoodAnswer<pdpb::GetAllGCSafePointV2Response>(calls);
        response.add_gc_safe_points()->set_keyspace_id(kDefaultKeyspace);
        return response;
      });
}

}  // namespace

void AddGcHandlers(MethodRegistry& registry, const ClusterCalls& calls) {
  AddStateCalls(registry, calls);
  AddNewCalls(registry, calls);
  AddOldCalls(registry, calls);
  registry.ServerStream<pdpb::WatchGCSafePointV2Request, pdpb::WatchGCSafePointV2Response>(
      "/pdpb.PD/WatchGCSafePointV2", {RunOn::kIo, Forwarding::kNone, RateLimited::kNo},
      [](const CallContext&, const pdpb::WatchGCSafePointV2Request&,
         StreamSink<pdpb::WatchGCSafePointV2Response> sink)
          -> std::unique_ptr<ServerStreamSession> {
        sink.Finish({StatusCode::kUnimplemented,
                     "WatchGCSafePointV2 is obsolete. Poll GetAllKeyspacesGCStates instead if "
                     "necessary"});
        return nullptr;
      });
}

}  // namespace api

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "api/error_map.h"
#include "api/grpc/call_context.h"
#include "api/grpc/forwarding.h"
#include "api/grpc/heartbeat_metrics.h"
#include "api/grpc/registry.h"
#include "api/grpc/rpc_status.h"
#include "pd/cluster/cluster.h"
#include "proto/pdpb.pb.h"

namespace api {

/// What the cluster's RPCs need of the server. Everything outlives the handlers and is thread-safe.
struct ClusterCalls {
  pd::Cluster& cluster;
  const LeaderDirectory& leaders;
  std::function<bool()> started;                    // Between the server's Start() and Stop().
  std::function<bool()> serving;                    // The PD leader, with its lease.
  std::function<uint64_t()> cluster_id;             // 0: not known yet.
  std::function<pd::Result<uint64_t>()> timestamp;  // A fresh one, composed.
  HeartbeatMetrics& heartbeat_metrics;
};

/// The reference's checks before a handler, in its order: started, leader, cluster id. Nothing when the call may go on.
[[nodiscard]] std::optional<RpcStatus> CheckLeaderCall(const ClusterCalls& calls,
                                                       uint64_t cluster_id);

/// The same for what stores report on streams, where the cluster runs: a lease that lapses for a moment ends no stream,
/// as nothing is answered from it. A leader that lost its lead stops running the cluster soon after.
[[nodiscard]] std::optional<RpcStatus> CheckReportCall(const ClusterCalls& calls,
                                                       uint64_t cluster_id);

/// Who answers a region query.
enum class Answerer : uint8_t { kLeader, kFollower };
/// The same for RPCs that a follower may answer when the client allows it.
[[nodiscard]] tl::expected<Answerer, RpcStatus> CheckReadCall(const ClusterCalls& calls,
                                                              const CallContext& context,
                                                              uint64_t cluster_id);

/// The header of a good answer.
void SetHeader(const ClusterCalls& calls, pdpb::ResponseHeader& header);

template <class Response>
[[nodiscard]] Response GoodAnswer(const ClusterCalls& calls) {
  Response response;
  SetHeader(calls, *response.mutable_header());
  return response;
}

template <class Response>
[[nodiscard]] Response BadAnswer(const ClusterCalls& calls, pdpb::ErrorType type,
                                 std::string text) {
  return HeaderError<Response>(calls.cluster_id(), type, std::move(text));
}

/// An error of the cluster as the usual header error UNKNOWN, or as a status when this member is not the one to ask.
template <class Response>
[[nodiscard]] RpcResult<Response> UnknownAnswer(const ClusterCalls& calls, const pd::Error& error) {
  if (EndsCall(error.code)) return FailRpc(ToRpcStatus(error));
  return BadAnswer<Response>(calls, pdpb::UNKNOWN, error.context);
}

template <class Response>
[[nodiscard]] Response NotBootstrapped(const ClusterCalls& calls) {
  return BadAnswer<Response>(calls, pdpb::NOT_BOOTSTRAPPED, "cluster is not bootstrapped");
}

/// Registers a unary RPC of a running cluster: leader, cluster id and bootstrap are checked, then
/// `handle(request) -> RpcResult<Response>` runs.
template <class Request, class Response, class Handle>
void AddRunningCall(MethodRegistry& registry, const ClusterCalls& calls, std::string_view name,
                    MethodOptions options, Handle handle) {
  registry.Unary<Request, Response>(
      name, options,
      [calls, handle](const CallContext&, const Request& request) -> RpcResult<Response> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        if (!calls.cluster.running()) return NotBootstrapped<Response>(calls);
        return handle(request);
      });
}

/// The four RPCs that look for the bootstrap before anything else (as in the reference).
template <class Request, class Response, class Handle>
void AddBootstrapFirstCall(MethodRegistry& registry, const ClusterCalls& calls,
                           std::string_view name, MethodOptions options, Handle handle) {
  options.forwarding = Forwarding::kByHandler;
  registry.Unary<Request, Response>(
      name, options,
      [calls, handle](const CallContext& context, const Request& request) -> RpcResult<Response> {
        if (!calls.cluster.running()) return NotBootstrapped<Response>(calls);
        if (auto status = CheckForwardedHost(context, calls.leaders.Leader())) {
          return FailRpc(std::move(*status));
        }
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        return handle(request);
      });
}

void AddClusterHandlers(MethodRegistry& registry, const ClusterCalls& calls);
void AddStoreHandlers(MethodRegistry& registry, const ClusterCalls& calls);
void AddSplitHandlers(MethodRegistry& registry, const ClusterCalls& calls);
void AddGcHandlers(MethodRegistry& registry, const ClusterCalls& calls);
void AddRegionHandlers(MethodRegistry& registry, const ClusterCalls& calls);

}  // namespace api

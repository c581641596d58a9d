#include "api/grpc/cluster_calls.h"

#include <fmt/format.h>

namespace api {
namespace {

std::optional<RpcStatus> CheckClusterId(const ClusterCalls& calls, uint64_t asked) {
  const uint64_t own = calls.cluster_id();
  if (asked == own) return std::nullopt;
  return RpcStatus{StatusCode::kFailedPrecondition,
                   fmt::format("mismatch cluster id, need {} but got {}", own, asked)};
}

}  // namespace

std::optional<RpcStatus> CheckLeaderCall(const ClusterCalls& calls, uint64_t cluster_id) {
  if (!calls.started()) return RpcStatus{StatusCode::kUnavailable, "server not started"};
  if (!calls.serving()) return RpcStatus{StatusCode::kUnavailable, "not leader"};
  return CheckClusterId(calls, cluster_id);
}

std::optional<RpcStatus> CheckReportCall(const ClusterCalls& calls, uint64_t cluster_id) {
  if (!calls.started()) return RpcStatus{StatusCode::kUnavailable, "server not started"};
  return CheckClusterId(calls, cluster_id);
}

tl::expected<Answerer, RpcStatus> CheckReadCall(const ClusterCalls& calls,
                                                const CallContext& context, uint64_t cluster_id) {
  if (!calls.started()) return FailRpc(StatusCode::kUnavailable, "server not started");
  const bool leads = calls.serving();
  if (!leads && !context.Find(kAllowFollowerKey)) {
    return FailRpc(StatusCode::kUnavailable, "not leader and follower handling not allowed");
  }
  if (auto status = CheckClusterId(calls, cluster_id)) return FailRpc(std::move(*status));
  return leads ? Answerer::kLeader : Answerer::kFollower;
}

void SetHeader(const ClusterCalls& calls, pdpb::ResponseHeader& header) {
  const uint64_t id = calls.cluster_id();
  if (id == 0) {
    SetHeaderError(header, id, pdpb::NOT_BOOTSTRAPPED, "cluster id is not ready");
    return;
  }
  header.set_cluster_id(id);
}

}  // namespace api

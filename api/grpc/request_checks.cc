#include "api/grpc/request_checks.h"

#include <fmt/format.h>

#include "api/error_map.h"

namespace api {

std::optional<RpcStatus> CheckStarted(const pd::PdServer& server) {
  if (server.started()) return std::nullopt;
  return RpcStatus{StatusCode::kUnavailable, "server not started"};
}

std::optional<RpcStatus> CheckServing(const pd::PdServer& server) {
  if (auto refused = CheckStarted(server)) return refused;
  if (server.Serving()) return std::nullopt;
  return RpcStatus{StatusCode::kUnavailable, "not leader"};
}

std::optional<RpcStatus> CheckClusterId(const pd::PdServer& server, uint64_t given) {
  const uint64_t own = server.cluster_id();
  if (given == own) return std::nullopt;
  return RpcStatus{StatusCode::kFailedPrecondition,
                   fmt::format("mismatch cluster id, need {} but got {}", own, given)};
}

void FillHeader(const pd::PdServer& server, pdpb::ResponseHeader& header) {
  const uint64_t id = server.cluster_id();
  header.set_cluster_id(id);
  if (id == 0) SetHeaderError(header, 0, pdpb::NOT_BOOTSTRAPPED, "cluster id is not ready");
}

}  // namespace api

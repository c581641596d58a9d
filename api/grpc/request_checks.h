#pragma once

#include <optional>

#include "api/grpc/rpc_status.h"
#include "pd/server.h"
#include "proto/pdpb.pb.h"

namespace api {

/// What comes before every handler of a pdpb method, in the reference's order; what comes earlier (rate
/// limit, forwarding) is the transport's.

/// Unavailable `server not started`.
[[nodiscard]] std::optional<RpcStatus> CheckStarted(const pd::PdServer& server);

/// Started and serving: Unavailable `not leader` elsewhere.
[[nodiscard]] std::optional<RpcStatus> CheckServing(const pd::PdServer& server);

/// FailedPrecondition `mismatch cluster id, need %d but got %d`.
[[nodiscard]] std::optional<RpcStatus> CheckClusterId(const pd::PdServer& server, uint64_t given);

/// All of them, for a request with a pdpb header:
///
///     if (auto refused = CheckLeaderCall(server, request)) return FailRpc(*refused);
template <class Request>
[[nodiscard]] std::optional<RpcStatus> CheckLeaderCall(const pd::PdServer& server,
                                                       const Request& request) {
  if (auto refused = CheckServing(server)) return refused;
  return CheckClusterId(server, request.header().cluster_id());
}

/// The header of a success; an error itself while the cluster id is unknown (as in the reference).
void FillHeader(const pd::PdServer& server, pdpb::ResponseHeader& header);

/// A response with that header and nothing else yet.
template <class Response>
[[nodiscard]] Response NewResponse(const pd::PdServer& server) {
  Response response;
  FillHeader(server, *response.mutable_header());
  return response;
}

}  // namespace api

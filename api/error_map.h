#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "api/grpc/rpc_status.h"
#include "pd/result.h"
#include "proto/pdpb.pb.h"
#include "scheduler/model/result.h"

namespace api {

/// One error, three faces. Each function is a switch without default, so that a new code does not
/// compile unmapped. The texts are the errors' own: whoever fails writes the reference's text into
/// Error::context.
///
///     const pd::Result<uint64_t> id = ids.Allocate(count, timeout);
///     if (!id) return AnswerError<pdpb::AllocIDResponse>(cluster_id, id.error());   // gRPC
///     if (!store) return ErrorResponse(store.error());                              // HTTP,
///     api/http/response.h

/// As a gRPC status. An error without text gets the reference's words for its code ("not leader").
[[nodiscard]] RpcStatus ToRpcStatus(const pd::Error& error);
[[nodiscard]] RpcStatus ToRpcStatus(const scheduler::Error& error);

/// As the type in a response header. Where the reference has another type for one RPC, its handler
/// says so itself.
[[nodiscard]] pdpb::ErrorType ToHeaderErrorType(pd::ErrorCode code);
[[nodiscard]] pdpb::ErrorType ToHeaderErrorType(scheduler::ErrorCode code);

/// As an HTTP status.
[[nodiscard]] int ToHttpStatus(pd::ErrorCode code);
[[nodiscard]] int ToHttpStatus(scheduler::ErrorCode code);

/// True for what ends a call with a gRPC status rather than inside the response header: the member
/// is not the one to ask (not leader, not started).
[[nodiscard]] bool EndsCall(pd::ErrorCode code);

/// Fills `header` with the cluster id and an error.
void SetHeaderError(pdpb::ResponseHeader& header, uint64_t cluster_id, pdpb::ErrorType type,
                    std::string text);

/// A response that carries nothing but an error in its header (as in the reference).
template <class Response>
[[nodiscard]] Response HeaderError(uint64_t cluster_id, pdpb::ErrorType type, std::string text) {
  Response response;
  SetHeaderError(*response.mutable_header(), cluster_id, type, std::move(text));
  return response;
}

/// The usual end of a failed pdpb call: a status for EndsCall codes, else a response with the error
/// in its header.
template <class Response>
[[nodiscard]] RpcResult<Response> AnswerError(uint64_t cluster_id, const pd::Error& error) {
  if (EndsCall(error.code)) return FailRpc(ToRpcStatus(error));
  return HeaderError<Response>(cluster_id, ToHeaderErrorType(error.code), error.context);
}

template <class Response>
[[nodiscard]] RpcResult<Response> AnswerError(uint64_t cluster_id, const scheduler::Error& error) {
  return HeaderError<Response>(cluster_id, ToHeaderErrorType(error.code), error.context);
}

}  // namespace api

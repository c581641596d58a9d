#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace api {

/// The status codes of the gRPC protocol, with its numbers.
enum class StatusCode {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// How a call ends: a code and the text that goes over the wire with it.
struct RpcStatus {
  StatusCode code = StatusCode::kOk;
  std::string message;

  [[nodiscard]] bool ok() const { return code == StatusCode::kOk; }
  friend bool operator==(const RpcStatus&, const RpcStatus&) = default;
};

/// The answer of a unary handler: a message, or the status that ends the call without one.
template <class Response>
class [[nodiscard]] RpcResult : public tl::expected<Response, RpcStatus> {
 public:
  using tl::expected<Response, RpcStatus>::expected;
};

/// `return FailRpc(StatusCode::kUnavailable, "not leader");`
inline tl::unexpected<RpcStatus> FailRpc(StatusCode code, std::string message) {
  return tl::unexpected<RpcStatus>(RpcStatus{code, std::move(message)});
}

inline tl::unexpected<RpcStatus> FailRpc(RpcStatus status) {
  return tl::unexpected<RpcStatus>(std::move(status));
}

}  // namespace api

#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace pd {

/// Why the server refused or failed. Closed: api/error_map.cc turns each code into a gRPC status, a header error and an
/// HTTP status, and its switches have no default, so a code added here must be mapped there.
enum class ErrorCode {
  kNotStarted,       // The server is still starting or already stopping.
  kNotLeader,        // Not the PD leader, or its lease has run out.
  kNotBootstrapped,  // The cluster has no first store and region yet.
  kTimeout,          // No answer in time; the work may still be done.
  kQueueFull,        // A bounded queue refused: try again later.
  kConflict,         // A compare of a transaction failed.
  kNotFound,
  kAlreadyExists,
  kInvalidArgument,
  kStaleEpoch,  // The region moved on since the request was made.
  kRangeOverlap,
  kExhausted,    // Ids or timestamps have run out.
  kCompacted,    // The wanted revision or log index is gone.
  kUnavailable,  // Cannot be done now, for a reason in the context.
  kCorrupt,      // Bytes on disk or from a peer make no sense.
  kIo,           // The disk or the network failed.
};

struct Error {
  ErrorCode code;
  std::string context;  // Full text for people; where the reference has a text, exactly that.
};

/// A value or an Error; must be looked at.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(tl::expected<T, Error> base) : tl::expected<T, Error>(std::move(base)) {}  // NOLINT
};

inline tl::unexpected<Error> Fail(ErrorCode code, std::string context) {
  return tl::unexpected<Error>(Error{code, std::move(context)});
}

}  // namespace pd

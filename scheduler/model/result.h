#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace scheduler {

/// Why the pure layer refused. Closed: the server maps each code to a wire answer.
enum class ErrorCode {
  kInvalidArgument,
  kRegionNotFound,
  kStoreNotFound,
  kStaleEpoch,
  kRangeOverlap,
  kConflict,
  kLimited,
};

struct Error {
  ErrorCode code;
  std::string context;
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

}  // namespace scheduler

#pragma once

#include <string_view>

namespace api {

/// The rate limiter's place in every call: gRPC asks by bare method name ("GetRegion"), HTTP by handler
/// name ("GetRegions"). Thread-safe.
class RateLimiter {
 public:
  virtual ~RateLimiter() = default;

  /// Takes a token and a concurrency slot; false: the call is refused.
  [[nodiscard]] virtual bool Enter(std::string_view name) = 0;

  /// Gives the slot back when the call (a stream: its last message) is over.
  virtual void Leave(std::string_view name) = 0;
};

}  // namespace api

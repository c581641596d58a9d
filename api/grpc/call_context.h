#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace api {

/// What a handler may know about the call it serves. Knows no transport, so that tests build one by
/// hand:
///
///     CallContext context({.method = "/pdpb.PD/GetStore", .metadata =
///     {{"pd-allow-follower-handle", ""}}});
///
/// Read-only and thread-safe. A reference is good while the handler runs; for a stream, until its
/// OnClose returns.
class CallContext {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  struct Fields {
    std::string method = {};  // "/pdpb.PD/GetStore"
    std::string peer = {};    // "ipv4:127.0.0.1:40312", as gRPC prints it
    Metadata metadata = {};   // Keys in lower case, in the order of arrival; keys may repeat.
    std::optional<TimePoint> deadline = {};  // Nothing: the client waits for ever.
  };

  explicit CallContext(Fields fields) : fields_(std::move(fields)) {}
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  [[nodiscard]] const std::string& method() const { return fields_.method; }
  [[nodiscard]] const std::string& peer() const { return fields_.peer; }
  [[nodiscard]] const Metadata& metadata() const { return fields_.metadata; }

  /// The first value of a key, or nothing. `key` in lower case. Presence alone may be the message
  /// (as in the reference).
  [[nodiscard]] std::optional<std::string_view> Find(std::string_view key) const {
    for (const auto& [name, value] : fields_.metadata) {
      if (name == key) return value;
    }
    return std::nullopt;
  }

  /// Time left until the client's deadline, never negative; `without_deadline` when it set none.
  /// Bound every wait by it.
  [[nodiscard]] std::chrono::milliseconds Remaining(
      std::chrono::milliseconds without_deadline) const {
    if (!fields_.deadline) return without_deadline;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        *fields_.deadline - std::chrono::steady_clock::now());
    return left.count() > 0 ? left : std::chrono::milliseconds(0);
  }

  /// True once nobody waits for the answer. Handlers that take long poll it.
  [[nodiscard]] bool Cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  /// For transports: the client went away, or its deadline passed.
  void MarkCancelled() { cancelled_.store(true, std::memory_order_release); }

 private:
  const Fields fields_;
  std::atomic<bool> cancelled_ = false;
};

/// Metadata keys of the PD protocol.
inline constexpr std::string_view kForwardedHostKey = "pd-forwarded-host";
inline constexpr std::string_view kAllowFollowerKey = "pd-allow-follower-handle";

}  // namespace api

#pragma once

#include <chrono>
#include <compare>

namespace scheduler {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// A point on the caller's monotonic clock. Pure code never reads a clock: it is handed `now`. The
/// zero point is arbitrary and values may be negative (something that happened before the machine
/// started).
struct Instant {
  Millis since_epoch{0};

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Millis operator-(Instant a, Instant b) { return a.since_epoch - b.since_epoch; }
  friend constexpr Instant operator+(Instant a, Millis b) { return {a.since_epoch + b}; }
  friend constexpr Instant operator-(Instant a, Millis b) { return {a.since_epoch - b}; }
};

/// For people and refusals.
constexpr double SecondsOf(Millis time) { return static_cast<double>(time.count()) / 1000; }

}  // namespace scheduler

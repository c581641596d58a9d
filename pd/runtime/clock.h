#pragma once

#include <chrono>
#include <cstdint>

#include "scheduler/model/time.h"

namespace pd {

using Millis = std::chrono::milliseconds;
using Nanos = std::chrono::nanoseconds;

/// Both clocks of a server, injected so that simulations and tests drive time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Time since an arbitrary point; never goes back and counts suspended time too (CLOCK_BOOTTIME): leases, timeouts.
  [[nodiscard]] virtual Nanos Monotonic() const = 0;

  /// Unix time in nanoseconds; may jump either way: timestamps and times shown to people.
  [[nodiscard]] virtual int64_t UnixNanos() const = 0;
};

/// Planning counts in milliseconds.
inline scheduler::Instant InstantOf(Nanos monotonic) {
  return {std::chrono::duration_cast<Millis>(monotonic)};
}

/// The clock of this machine.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Nanos Monotonic() const override;
  [[nodiscard]] int64_t UnixNanos() const override;
};

}  // namespace pd

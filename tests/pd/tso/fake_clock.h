#pragma once

#include <atomic>
#include <cstdint>

#include "pd/runtime/clock.h"

namespace pd {

/// A wall clock that stands until it is set. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t unix_ms) : unix_ms_(unix_ms) {}

  [[nodiscard]] Nanos Monotonic() const override { return Millis(unix_ms_.load()); }
  [[nodiscard]] int64_t UnixNanos() const override { return unix_ms_.load() * 1'000'000; }
  void Set(int64_t unix_ms) { unix_ms_ = unix_ms; }
  void Add(int64_t ms) { unix_ms_ += ms; }

 private:
  std::atomic<int64_t> unix_ms_;
};

}  // namespace pd

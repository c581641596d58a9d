#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// A timestamp of the wire: physical milliseconds since 1970 above kLogicalBits of counter.
struct Timestamp {
  static constexpr int kLogicalBits = 18;
  static constexpr int64_t kLogicalMax = (int64_t{1} << kLogicalBits) - 1;

  int64_t physical_ms = 0;
  int64_t logical = 0;

  auto operator<=>(const Timestamp&) const = default;
  [[nodiscard]] uint64_t Composed() const {
    return (static_cast<uint64_t>(physical_ms) << kLogicalBits) + static_cast<uint64_t>(logical);
  }
  static Timestamp FromComposed(uint64_t ts) {
    return {static_cast<int64_t>(ts >> kLogicalBits), static_cast<int64_t>(ts) & kLogicalMax};
  }
};

}  // namespace pd

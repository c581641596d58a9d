#pragma once

#include <cstdint>
#include <optional>

#include "pd/dispatch/snapshot_booking.h"
#include "pd/runtime/clock.h"
#include "scheduler/operator/operator.h"

namespace pd {

/// A moment on both clocks of the server: planning counts on the monotonic one, people read the other.
struct Stamp {
  int64_t unix_ns = 0;
  Nanos monotonic{0};
};

/// An operator with the times that people see.
struct OperatorInfo {
  scheduler::Operator op;
  Stamp created;
  std::optional<Stamp> started;
  std::optional<Stamp> ended;
  SnapshotBooking booking = {};  // Released when it has ended.
};

}  // namespace pd

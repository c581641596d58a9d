#include "pd/runtime/clock.h"

#include <time.h>

namespace pd {
namespace {

int64_t ReadNanos(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Nanos SystemClock::Monotonic() const { return Nanos(ReadNanos(CLOCK_BOOTTIME)); }

int64_t SystemClock::UnixNanos() const { return ReadNanos(CLOCK_REALTIME); }

}  // namespace pd

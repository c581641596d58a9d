#include "pd/dispatch/snapshot_windows.h"

#include <algorithm>
#include <numeric>

#include "scheduler/filters/store_filter.h"

namespace pd {
namespace {

using scheduler::kSnapshotRoomMinMib;
using scheduler::Priority;

constexpr uint64_t kBusyMinS = 5;       // Short ones say little; and so the capacity grows in time.
constexpr uint64_t kTimeMaxS = 86'400;  // More is no time that a snapshot takes.

}  // namespace

int64_t SnapshotWindows::FreeIn(size_t window) const {
  static_assert(kCapacityMinMib >> (kCount - 1) >= kSnapshotRoomMinMib, "an empty window has room");
  return (capacity_mib_ >> window) - used_mib_[window];
}

int64_t SnapshotWindows::FreeMib(Priority priority) const {
  int64_t most = 0;
  for (size_t i = 0; i <= static_cast<size_t>(priority); ++i) most = std::max(most, FreeIn(i));
  return most;
}

bool SnapshotWindows::HasRoom(Priority priority) const {
  return FreeMib(priority) >= kSnapshotRoomMinMib;
}

bool SnapshotWindows::Book(Priority priority, int64_t cost_mib) {
  for (size_t i = 0; i <= static_cast<size_t>(priority); ++i) {
    if (FreeIn(i) < kSnapshotRoomMinMib) continue;
    used_mib_[i] += cost_mib;
    return true;
  }
  return false;
}

void SnapshotWindows::Release(int64_t cost_mib) {
  for (size_t i = kCount; i-- > 0;) {
    const int64_t freed = std::min(used_mib_[i], cost_mib);
    used_mib_[i] -= freed;
    cost_mib -= freed;
  }
}

void SnapshotWindows::Feedback(const SnapshotTiming& timing) {
  if (FreeIn(0) >= kSnapshotRoomMinMib) return;
  const uint64_t busy = std::min(timing.generate_s, kTimeMaxS) + std::min(timing.send_s, kTimeMaxS);
  const auto busy_s = static_cast<double>(std::max(busy, kBusyMinS));
  const auto total_s = static_cast<double>(std::min(timing.total_s, kTimeMaxS));
  const double error_s = 2 * busy_s - total_s;
  error_sum_s_ += error_s;
  const double capacity = 20 * error_s + 10 * error_sum_s_;
  capacity_mib_ = static_cast<int64_t>(std::clamp(capacity, static_cast<double>(kCapacityMinMib),
                                                  static_cast<double>(kCapacityMaxMib)));
}

int64_t SnapshotWindows::total_used_mib() const {
  return std::accumulate(used_mib_.begin(), used_mib_.end(), int64_t{0});
}

}  // namespace pd

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "scheduler/operator/kind.h"

namespace pd {

/// How long one snapshot took its sender, as the store reports it (pdpb.SnapshotStat), in seconds.
struct SnapshotTiming {
  uint64_t generate_s = 0;
  uint64_t send_s = 0;
  uint64_t total_s = 0;  // Both, and what it waited before.
};

/// What one store may have to send at a time: version 2 of the reference's store limits, and as there. Each priority
/// has a window of its own and may use those below it as well. The windows halve from the lowest priority upwards,
/// so what is urgent finds some room whatever else is under way. A cost, the region's size in MiB, goes whole into the
/// first window that has kSnapshotRoomMinMib free, and may so exceed it: a region larger than a window would else never
/// move.
///
/// The capacity follows the store: see Feedback. Pure; the owner keeps the lock.
class SnapshotWindows {
 public:
  static constexpr size_t kCount = 4;  // One for each priority.
  static constexpr int64_t kCapacityMinMib = 100;
  /// Keeps sums of the wire's numbers far from overflow; no store comes near it.
  static constexpr int64_t kCapacityMaxMib = int64_t{1} << 40;

  /// The most that is free in one of the windows that this priority may use; never negative.
  [[nodiscard]] int64_t FreeMib(scheduler::Priority priority) const;
  [[nodiscard]] bool HasRoom(scheduler::Priority priority) const;

  /// Into the first window with room. False when there is none: what does not wait goes uncounted then, so that it
  /// never holds others up for longer than full windows do.
  [[nodiscard]] bool Book(scheduler::Priority priority, int64_t cost_mib);
  /// Of a cost that was booked, once. The highest windows are freed first, for those who have no other.
  void Release(int64_t cost_mib);

  /// A snapshot was sent. A store that was busy for longer than it made a snapshot wait could take more; one that makes
  /// them wait should have fewer. The error is 2 * busy - total, with busy = generate + send and at least 5 s; the
  /// capacity is 20 times the error and 10 times the sum of all errors so far, at least kCapacityMinMib. Counts only
  /// while the lowest window is full: else the capacity does not matter.
  void Feedback(const SnapshotTiming& timing);

  [[nodiscard]] int64_t capacity_mib() const { return capacity_mib_; }  // Of the lowest window.
  [[nodiscard]] const std::array<int64_t, kCount>& used_mib() const { return used_mib_; }
  [[nodiscard]] int64_t total_used_mib() const;

 private:
  [[nodiscard]] int64_t FreeIn(size_t window) const;

  int64_t capacity_mib_ = kCapacityMinMib;
  std::array<int64_t, kCount> used_mib_{};
  double error_sum_s_ = 0;
};

}  // namespace pd

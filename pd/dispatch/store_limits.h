#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "pd/config/config_store.h"
#include "pd/dispatch/snapshot_booking.h"
#include "pd/dispatch/snapshot_windows.h"
#include "pd/runtime/mutex.h"
#include "scheduler/filters/reason.h"
#include "scheduler/model/store.h"
#include "scheduler/model/time.h"
#include "scheduler/operator/kind.h"
#include "scheduler/stats/influence.h"

namespace pd {

/// What operators may ask of each store at a time, by one of the reference's two versions of store limits
/// (`schedule.store-limit-version`), and as there:
///
/// - v1: how fast peers may come and go: token buckets. A configured rate of r a minute fills r / 60 * 1000 tokens a
///   second, up to 1000 tokens or one second's worth; 0 and rates of 1e8 and more are unlimited.
/// - v2: how much a store has to send as snapshots: SnapshotWindows. Rates do not apply.
///
/// The version may change at any moment. What is sent is booked under v1 too, though it holds nobody back there: when
/// v2 begins, full windows are full; and what ends frees what it had booked, whichever version is in force by then.
/// Thread-safe. Leader's memory only.
class StoreLimits {
 public:
  using Key = std::pair<scheduler::StoreId, scheduler::LimitType>;
  /// What an operator took.
  struct Taken {
    std::map<Key, double> tokens;
    SnapshotBooking snapshots;  // Ends with the operator; tokens are spent.
  };

  explicit StoreLimits(const ConfigStore& config) : config_(config) {}

  /// What is left for this store now.
  [[nodiscard]] scheduler::StoreLimitRoom Room(scheduler::StoreId store, scheduler::Instant now);
  /// The same for all of them.
  void FillRooms(std::span<scheduler::Store> stores, scheduler::Instant now);

  /// Takes the costs of an operator off all its stores, or nothing and says which store has too little left.
  tl::expected<Taken, scheduler::Refusal> Take(const scheduler::Influence& influence,
                                               scheduler::Priority priority,
                                               scheduler::Instant now);
  /// Takes whatever there is: for operators that do not wait.
  Taken TakeAnyway(const scheduler::Influence& influence, scheduler::Priority priority,
                   scheduler::Instant now);
  /// Of an operator that did not start after all. A bucket never holds more than it can.
  void GiveBack(const Taken& taken, scheduler::Instant now);
  /// An operator with this booking has ended, however it did. Once for each; what was booked before the last Clear() is
  /// gone already.
  void Release(const SnapshotBooking& booking);

  /// A store has sent these snapshots. Counts under v2 only.
  void Feedback(scheduler::StoreId store, std::span<const SnapshotTiming> sent);
  /// The windows of a store; nothing under v1.
  [[nodiscard]] std::optional<SnapshotWindows> WindowsOf(scheduler::StoreId store) const;

  void Clear();

 private:
  struct Bucket {
    double tokens = 0;
    scheduler::Instant filled_at;
  };

  /// Tokens now, at this rate a minute; none: unlimited.
  std::optional<double> Tokens(double rate, const Key& key, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  scheduler::StoreLimitRoom RoomLocked(const OnlineConfig& config, scheduler::StoreId store,
                                       scheduler::Instant now) PD_REQUIRES(mutex_);
  [[nodiscard]] int64_t RoomOf(const StoreLimitConfig& limit, const Key& key,
                               scheduler::Instant now) PD_REQUIRES(mutex_);
  [[nodiscard]] std::optional<scheduler::Refusal> RefuseByRates(
      const OnlineConfig& config, const scheduler::Influence& influence, scheduler::Instant now)
      PD_REQUIRES(mutex_);
  [[nodiscard]] std::optional<scheduler::Refusal> RefuseByWindows(
      const scheduler::Influence& influence, scheduler::Priority priority) PD_REQUIRES(mutex_);
  Taken Charge(const OnlineConfig& config, const scheduler::Influence& influence,
               scheduler::Priority priority, scheduler::Instant now) PD_REQUIRES(mutex_);
  [[nodiscard]] const SnapshotWindows& Windows(scheduler::StoreId store) const PD_REQUIRES(mutex_);
  void ReleaseLocked(const SnapshotBooking& booking) PD_REQUIRES(mutex_);

  const ConfigStore& config_;
  mutable Mutex mutex_;
  std::map<Key, Bucket> buckets_ PD_GUARDED_BY(mutex_);  // Those that are not full.
  std::map<scheduler::StoreId, SnapshotWindows> windows_ PD_GUARDED_BY(mutex_);
  uint64_t clears_ PD_GUARDED_BY(mutex_) = 0;
};

}  // namespace pd

#pragma once

#include <atomic>
#include <compare>
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

/// The timestamp oracle of the PD leader: strictly increasing, and never the same twice, whatever crashes, stalls or
/// jumps its clock.
///
/// State is one atomic word, the last timestamp granted; granting adds to it, so the order of grants is the order of
/// the word. The window end is saved through Raft ahead of time (/pd/{cid}/timestamp):
///   physical of every grant < saved end, and the saved end only grows until the hand-over that ends a term.
/// A new leader begins at or above the end that it reads after it applied the first entry of its term; every save of an
/// earlier leader is before that entry in the log, as saves are fenced by term. So its grants are above all earlier
/// ones. A grant is answered only when the lease still held after it was taken: nobody else could have begun before.
///
/// Physical time follows the wall clock, but never back, and never to the saved end or beyond: a clock that stands
/// still or goes back freezes it (the counter goes on, and an overflow takes the next millisecond); one that jumps
/// ahead is followed once a window beyond it is saved.
///
/// Thread-safe. Grants take no lock. Start, Stop and Tick come from PdServer.
class TsoOracle {
 public:
  struct Options {
    // How far ahead the end is saved: what a crash costs in future time. At least kWindowMin and twice the update
    // interval, else taken as that: a window that is used up before the next tick would hold time back.
    Nanos window = Millis(500);
    Nanos update_interval = Millis(50);  // Between ticks; also the wait of one try in Generate.
  };
  static constexpr Nanos kWindowMin = Millis(10);
  /// Proposes to save the end, unless a higher one is saved already (kConflict); `done` runs once, on any thread, now
  /// or later. Must not block.
  using SaveDone = std::function<void(Result<void>)>;
  using Save = std::function<void(int64_t end_ms, SaveDone done)>;

  /// Times from `start_ms` up to but without `end_ms` may be granted once the end is saved.
  struct Window {
    int64_t start_ms = 0;
    int64_t end_ms = 0;
  };

  /// `lease_valid`: whether this member leads and its lease holds, now.
  TsoOracle(const Options& options, const Clock& clock, Save save,
            std::function<bool()> lease_valid);

  /// The window of a new leader that found `saved_end_ms` (0: none) in the state.
  [[nodiscard]] Window Plan(int64_t saved_end_ms) const;

  /// Begins to grant from a window whose end is saved.
  void Start(Window window) PD_EXCLUDES(mutex_);

  /// Ends granting at once and returns an end that is above everything granted, 0 when nothing ran. To hand over, save
  /// that end as the last write of the term; to go on after all, Start from a new plan above it.
  int64_t Stop() PD_EXCLUDES(mutex_);

  /// Grants `count` timestamps: the answer is the last, the others are the counters just below it. Never waits.
  /// Errors carry the reference's text: kNotLeader; kInvalidArgument (count 0); kExhausted (count above kLogicalMax);
  /// kUnavailable when the window is used up or not there yet: it may work a moment later.
  Result<Timestamp> TryGenerate(uint32_t count);

  /// The same, but waits up to ten update intervals where TryGenerate says kUnavailable (then kExhausted).
  Result<Timestamp> Generate(uint32_t count) PD_EXCLUDES(mutex_);

  /// Lets physical time follow the clock and asks for a new window in time. Call every update interval.
  void Tick() PD_EXCLUDES(mutex_);

  enum class IfSmaller { kRefuse, kIgnore };
  enum class GapCheck { kOn, kOff };
  /// Jumps ahead to a timestamp of the user (admin reset-ts), saving a window first; waits for that. Errors:
  /// kInvalidArgument with the reference's text (smaller than now, too far ahead); those of the save.
  Result<void> Reset(uint64_t timestamp, IfSmaller if_smaller, GapCheck gap_check, Nanos max_gap)
      PD_EXCLUDES(mutex_);

  [[nodiscard]] bool running() const { return last_.load(std::memory_order_acquire) != 0; }
  /// The last timestamp granted, for metrics; zero when not running.
  [[nodiscard]] Timestamp last() const {
    return Timestamp::FromComposed(last_.load(std::memory_order_acquire));
  }
  [[nodiscard]] int64_t saved_end_ms() const { return end_ms_.load(std::memory_order_acquire); }
  [[nodiscard]] const Options& options() const { return options_; }

  /// Events for metrics: how often grants overflowed, ticks were late, the clock was behind.
  struct Events {
    std::atomic<uint64_t> overflows{0};
    std::atomic<uint64_t> saves{0};
    std::atomic<uint64_t> save_failures{0};
    std::atomic<uint64_t> clock_behind{0};
  };
  [[nodiscard]] const Events& events() const { return events_; }

 private:
  [[nodiscard]] int64_t NowMs() const;
  /// Why nothing is granted, most important reason first.
  [[nodiscard]] tl::unexpected<Error> RefuseToGrant(uint32_t count) const;
  /// Moves physical time on, if the rules allow it at this moment. True when it moved.
  bool Advance();
  void SaveEnd(int64_t end_ms, SaveDone done) PD_EXCLUDES(mutex_);
  Result<void> OnSaved(int64_t end_ms, uint64_t epoch, const Result<void>& saved)
      PD_EXCLUDES(mutex_);

  const Options options_;
  const Clock& clock_;
  const Save save_;
  const std::function<bool()> lease_valid_;

  std::atomic<uint64_t> last_{0};   // Composed; 0: not running.
  std::atomic<int64_t> end_ms_{0};  // Saved; only grows while running.
  Events events_;

  Mutex mutex_;
  CondVar changed_;  // The window grew, or granting began or ended.
  uint64_t epoch_ PD_GUARDED_BY(mutex_) =
      0;  // Counts Start and Stop: what a save of before reports is void.
  bool saving_ PD_GUARDED_BY(mutex_) = false;
};

}  // namespace pd

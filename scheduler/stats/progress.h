#pragma once

#include <cstddef>
#include <deque>
#include <limits>

#include "scheduler/model/time.h"

namespace scheduler {

/// How far a long piece of work has come, how fast it goes and when it ends, from samples of what is done. Any unit,
/// the same for all numbers. Memory: at most kSamplesMax samples.
class Progress {
 public:
  /// Samples are meant to come this far apart (as in the reference); the speed goes by when they did come.
  static constexpr Millis kInterval = Seconds{10};
  static constexpr Millis kWindowMin = std::chrono::minutes(10);
  static constexpr Millis kWindowMax = std::chrono::hours(2);
  static constexpr size_t kSamplesMax = kWindowMax / kInterval + 1;
  /// Seconds left of what does not move.
  static constexpr double kNever = std::numeric_limits<double>::max();

  /// `now` does not go back. `done` may: what is to be moved can grow meanwhile. Samples older than kWindowMax go.
  void Add(Instant now, double done, double target);

  /// 0 .. 1; 0 before the first sample, 1 for a target of nothing.
  [[nodiscard]] double Fraction() const;
  /// Per second, over the samples of the last `window`, which is brought between kWindowMin and kWindowMax. 0 with
  /// fewer than two of them, or when less is done than before.
  [[nodiscard]] double Speed(Millis window) const;
  /// At that speed: 0 when done, kNever when nothing moves.
  [[nodiscard]] double SecondsLeft(Millis window) const;

 private:
  struct Sample {
    Instant at;
    double done = 0;
  };
  std::deque<Sample> samples_;  // By time.
  double target_ = 0;
};

}  // namespace scheduler

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "scheduler/model/load.h"

namespace scheduler {

/// Only reports over intervals of 3 to 300 s count (as in the reference).
inline constexpr uint64_t kReportSecondsMin = 3;
inline constexpr uint64_t kReportSecondsMax = 300;
constexpr bool IsCountedInterval(uint64_t interval_s) {
  return interval_s >= kReportSecondsMin && interval_s <= kReportSecondsMax;
}

/// The mean rate over exactly the last `window_s` seconds (as in the reference): each amount is taken to be spread
/// evenly over its interval, so that of the oldest only a part may count. Keeps window_s / 3 + 1 amounts at most, if
/// only counted intervals are added.
class WindowedLoad {
 public:
  explicit WindowedLoad(uint64_t window_s) : window_s_(window_s) {}

  /// `interval_s` is not 0.
  void Add(const Load& amount, uint64_t interval_s);
  [[nodiscard]] bool IsFull() const { return total_s_ >= window_s_; }
  /// Zeros until the window is full.
  [[nodiscard]] Load Rate() const;

 private:
  struct Sample {
    Load amount;
    uint64_t interval_s = 0;
  };
  uint64_t window_s_;
  uint64_t total_s_ = 0;         // Of all samples.
  std::vector<Sample> samples_;  // Oldest first; without the oldest the window would not be full.
};

/// The median of the last five values, each dimension for itself; of an even number of values the mean of the middle
/// ones. Zeros without values.
class MedianLoad {
 public:
  void Add(const Load& value);
  [[nodiscard]] Load Value() const;

 private:
  static constexpr size_t kSize = 5;
  std::array<Load, kSize> values_{};
  size_t next_ = 0;
  size_t count_ = 0;
};

/// How a load is smoothed: a median over windowed means, so that neither a late report nor one outburst shows.
class RollingLoad {
 public:
  explicit RollingLoad(uint64_t window_s) : window_(window_s) {}

  void Add(const Load& amount, uint64_t interval_s);
  [[nodiscard]] Load Smoothed() const { return median_.Value(); }

  /// What came since ForgetFresh(): seconds, and the mean rate over them.
  [[nodiscard]] uint64_t fresh_s() const { return fresh_s_; }
  [[nodiscard]] Load FreshRate() const;
  void ForgetFresh();

 private:
  WindowedLoad window_;
  MedianLoad median_;
  Load fresh_;
  uint64_t fresh_s_ = 0;
};

}  // namespace scheduler

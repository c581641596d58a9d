#pragma once

#include <array>
#include <cstddef>

namespace scheduler {

/// Average of the last kSize samples in which newer ones weigh more, linearly; a plain average until there are as many.
template <size_t kSize>
class WeightedAverage {
 public:
  void Add(double sample) {
    if (count_ == kSize) {
      weighted_ -= sum_;
      sum_ -= samples_[next_];
    } else {
      ++count_;
    }
    samples_[next_] = sample;
    next_ = (next_ + 1) % kSize;
    weighted_ += sample * static_cast<double>(count_);
    sum_ += sample;
  }

  [[nodiscard]] double Value() const {
    if (count_ == 0) return 0;
    if (count_ < kSize) return sum_ / static_cast<double>(count_);
    return weighted_ / static_cast<double>(kSize * (kSize + 1) / 2);
  }

 private:
  std::array<double, kSize> samples_{};
  size_t next_ = 0;
  size_t count_ = 0;
  double weighted_ = 0;
  double sum_ = 0;
};

/// Hull moving average over 60 samples: smooth, yet quick to follow a trend (scheduling.md C.2).
class HullAverage {
 public:
  void Add(double sample) {
    short_.Add(sample);
    long_.Add(sample);
    hull_.Add(2 * short_.Value() - long_.Value());
  }
  [[nodiscard]] double Value() const { return hull_.Value(); }

 private:
  WeightedAverage<30> short_;
  WeightedAverage<60> long_;
  WeightedAverage<7> hull_;
};

}  // namespace scheduler

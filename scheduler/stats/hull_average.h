#pragma once

#include <array>
#include <cstddef>

namespace scheduler {

/// Average of the last kSize samples in which newer ones weigh more, linearly: the newest counts kSize times, the one
/// before kSize - 1 times, and so on. The weights are the same while there are fewer samples.
template <size_t kSize>
class WeightedAverage {
 public:
  void Add(double sample) {
    weighted_ += sample * static_cast<double>(kSize) - sum_;
    sum_ += sample;
    if (count_ == kSize) {
      sum_ -= samples_[next_];
    } else {
      ++count_;
    }
    samples_[next_] = sample;
    next_ = (next_ + 1) % kSize;
  }

  [[nodiscard]] double Value() const {
    if (count_ == 0) return 0;
    return weighted_ / static_cast<double>((2 * kSize - count_ + 1) * count_ / 2);
  }

 private:
  std::array<double, kSize> samples_{};
  size_t next_ = 0;
  size_t count_ = 0;
  double weighted_ = 0;
  double sum_ = 0;
};

/// Hull moving average over 60 samples: smooth, yet quick to follow a trend (as in the reference).
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

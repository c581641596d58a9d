#include "scheduler/stats/rolling_load.h"

#include <algorithm>

#include "scheduler/model/assert.h"

namespace scheduler {
namespace {

/// Divided, not multiplied by a fraction: whole rates stay whole.
Load PerSecond(Load amount, uint64_t seconds) {
  for (double& value : amount.of) value /= static_cast<double>(seconds);
  return amount;
}

}  // namespace

void WindowedLoad::Add(const Load& amount, uint64_t interval_s) {
  PD_ASSERT(interval_s > 0);
  samples_.push_back({amount, interval_s});
  total_s_ += interval_s;
  size_t spare = 0;
  while (total_s_ - samples_[spare].interval_s >= window_s_) {
    total_s_ -= samples_[spare].interval_s;
    ++spare;
  }
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(spare));
}

Load WindowedLoad::Rate() const {
  if (!IsFull()) return {};
  Load sum;
  for (const Sample& sample : samples_) sum += sample.amount;
  const Sample& oldest = samples_.front();
  const double outside =
      static_cast<double>(total_s_ - window_s_) / static_cast<double>(oldest.interval_s);
  sum -= oldest.amount * outside;
  return PerSecond(sum, window_s_);
}

void MedianLoad::Add(const Load& value) {
  values_[next_] = value;
  next_ = (next_ + 1) % kSize;
  count_ = std::min(count_ + 1, kSize);
}

Load MedianLoad::Value() const {
  Load median;
  if (count_ == 0) return median;
  for (const LoadDim dim : kLoadDims) {
    std::array<double, kSize> sorted{};
    for (size_t i = 0; i < count_; ++i) sorted[i] = values_[i][dim];
    std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count_));
    median[dim] = (sorted[(count_ - 1) / 2] + sorted[count_ / 2]) / 2;
  }
  return median;
}

void RollingLoad::Add(const Load& amount, uint64_t interval_s) {
  window_.Add(amount, interval_s);
  if (window_.IsFull()) median_.Add(window_.Rate());
  fresh_ += amount;
  fresh_s_ += interval_s;
}

Load RollingLoad::FreshRate() const { return fresh_s_ == 0 ? Load{} : PerSecond(fresh_, fresh_s_); }

void RollingLoad::ForgetFresh() {
  fresh_ = {};
  fresh_s_ = 0;
}

}  // namespace scheduler

#include "scheduler/stats/progress.h"

#include <algorithm>

namespace scheduler {

void Progress::Add(Instant now, double done, double target) {
  target_ = target;
  samples_.push_back({now, done});
  while (samples_.size() > kSamplesMax || now - samples_.front().at > kWindowMax) {
    samples_.pop_front();
  }
}

double Progress::Fraction() const {
  if (samples_.empty()) return 0;
  if (target_ <= 0) return 1;
  return std::clamp(samples_.back().done / target_, 0.0, 1.0);
}

double Progress::Speed(Millis window) const {
  if (samples_.empty()) return 0;
  const Sample& last = samples_.back();
  const Instant since = last.at - std::clamp(window, kWindowMin, kWindowMax);
  const auto first = std::ranges::lower_bound(samples_, since, {}, &Sample::at);
  const std::chrono::duration<double> took = last.at - first->at;
  if (took.count() <= 0) return 0;
  return std::max(0.0, (last.done - first->done) / took.count());
}

double Progress::SecondsLeft(Millis window) const {
  if (Fraction() >= 1) return 0;
  const double speed = Speed(window);
  return speed > 0 ? (target_ - samples_.back().done) / speed : kNever;
}

}  // namespace scheduler

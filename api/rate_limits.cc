#include "api/rate_limits.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace api {

RateLimits::RateLimits(const pd::Clock& clock, pd::MetricsRegistry& metrics, std::string kind)
    : clock_(clock),
      in_flight_gauge_(metrics.Gauges("pd_server_api_concurrency",
                                      "Concurrency number of the API under the limiter.",
                                      {"kind", "api"})),
      kind_(std::move(kind)) {}

bool RateLimits::Enter(std::string_view name) {
  pd::MutexLock lock(mutex_);
  const auto bucket = buckets_.find(name);
  const bool limited = enabled_ && bucket != buckets_.end();
  const auto in_flight = in_flight_.find(name);
  if (limited) {
    const uint64_t most = bucket->second.limit.concurrency;
    const uint64_t now = in_flight == in_flight_.end() ? 0 : in_flight->second;
    if (most != 0 && now >= most) return false;
    if (!TakeToken(bucket->second)) return false;
  }
  uint64_t& count =
      in_flight == in_flight_.end() ? in_flight_[std::string(name)] : in_flight->second;
  ++count;
  if (limited) in_flight_gauge_.With({kind_, std::string(name)}).Set(static_cast<double>(count));
  return true;
}

void RateLimits::Leave(std::string_view name) {
  pd::MutexLock lock(mutex_);
  const auto in_flight = in_flight_.find(name);
  if (in_flight == in_flight_.end() || in_flight->second == 0) return;
  const uint64_t count = --in_flight->second;
  if (enabled_ && buckets_.find(name) != buckets_.end()) {
    in_flight_gauge_.With({kind_, std::string(name)}).Set(static_cast<double>(count));
  }
}

bool RateLimits::TakeToken(Bucket& bucket) const {
  if (bucket.limit.qps <= 0) return true;
  const pd::Nanos now = clock_.Monotonic();
  const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
  bucket.filled_at = now;
  bucket.tokens =
      std::min(static_cast<double>(bucket.limit.burst), bucket.tokens + seconds * bucket.limit.qps);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

void RateLimits::SetEnabled(bool enabled) {
  pd::MutexLock lock(mutex_);
  enabled_ = enabled;
}

bool RateLimits::enabled() const {
  pd::MutexLock lock(mutex_);
  return enabled_;
}

void RateLimits::Set(const std::string& name, RateLimit limit) {
  pd::MutexLock lock(mutex_);
  if (limit == RateLimit()) {
    buckets_.erase(name);
  } else {
    buckets_[name] = {limit, static_cast<double>(limit.burst), clock_.Monotonic()};
  }
}

std::optional<RateLimit> RateLimits::Get(std::string_view name) const {
  pd::MutexLock lock(mutex_);
  const auto found = buckets_.find(name);
  if (found == buckets_.end()) return std::nullopt;
  return found->second.limit;
}

std::map<std::string, RateLimit> RateLimits::All() const {
  pd::MutexLock lock(mutex_);
  std::map<std::string, RateLimit> all;
  for (const auto& [name, bucket] : buckets_) all.emplace(name, bucket.limit);
  return all;
}

void RateLimits::Replace(const std::map<std::string, RateLimit>& limits) {
  {
    pd::MutexLock lock(mutex_);
    buckets_.clear();
  }
  for (const auto& [name, limit] : limits) Set(name, limit);
}

}  // namespace api

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/rate_limiter.h"
#include "pd/metrics/metrics.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"

namespace api {

/// What one API is allowed; 0 is "no limit", and all 0 is no limit at all.
struct RateLimit {
  double qps = 0;            // Calls a second, in the long run ...
  int64_t burst = 0;         // ... and so many at once when it was quiet.
  uint64_t concurrency = 0;  // Calls under way.

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Limits by API name: a bucket of tokens, filled at `qps` up to `burst`, and a count of calls under way. APIs
/// without a limit cost one look-up. Thread-safe.
class RateLimits final : public RateLimiter {
 public:
  /// `kind` labels the gauge pd_server_api_concurrency: "http" or "grpc".
  RateLimits(const pd::Clock& clock, pd::MetricsRegistry& metrics, std::string kind);

  bool Enter(std::string_view name) override PD_EXCLUDES(mutex_);
  void Leave(std::string_view name) override PD_EXCLUDES(mutex_);

  /// Switched off, everything passes; limits are kept.
  void SetEnabled(bool enabled) PD_EXCLUDES(mutex_);
  [[nodiscard]] bool enabled() const PD_EXCLUDES(mutex_);

  /// Sets, or with an empty limit removes, the limit of one API. The bucket starts full.
  void Set(const std::string& name, RateLimit limit) PD_EXCLUDES(mutex_);
  [[nodiscard]] std::optional<RateLimit> Get(std::string_view name) const PD_EXCLUDES(mutex_);
  [[nodiscard]] std::map<std::string, RateLimit> All() const PD_EXCLUDES(mutex_);
  /// Exactly these from now on.
  void Replace(const std::map<std::string, RateLimit>& limits) PD_EXCLUDES(mutex_);

 private:
  struct Bucket {
    RateLimit limit;
    double tokens = 0;
    pd::Nanos filled_at{0};
  };

  [[nodiscard]] bool TakeToken(Bucket& bucket) const PD_REQUIRES(mutex_);

  const pd::Clock& clock_;
  pd::GaugeFamily& in_flight_gauge_;
  const std::string kind_;
  mutable pd::Mutex mutex_;
  bool enabled_ PD_GUARDED_BY(mutex_) = true;
  std::map<std::string, Bucket, std::less<>> buckets_ PD_GUARDED_BY(mutex_);
  // Apart from the buckets, so that a limit set in the middle of a call does not count it wrongly.
  std::map<std::string, uint64_t, std::less<>> in_flight_ PD_GUARDED_BY(mutex_);
};

}  // namespace api

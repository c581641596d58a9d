#pragma once

#include <set>
#include <string>
#include <string_view>

#include "api/http/leader_gate.h"
#include "api/http/request.h"
#include "api/http/response.h"
#include "api/http/router.h"
#include "api/rate_limiter.h"
#include "pd/metrics/metrics.h"
#include "pd/runtime/mutex.h"

namespace api {

/// The names of callers as a metric's label: the first thousand as they are, all later ones as "other", since a client
/// may call itself what it likes. Thread-safe.
class CallerLabels {
 public:
  static constexpr size_t kCallersMax = 1000;

  std::string LabelOf(const std::string& caller);

 private:
  pd::Mutex mutex_;
  std::set<std::string> known_ PD_GUARDED_BY(mutex_);
};

/// Everything between a request and its handler, in the reference's order: CORS and OPTIONS, the path cleaned by a
/// 301, the leader gate, the route, the rate limit, the handler; and the request metrics. Knows no sockets.
/// Thread-safe.
class HttpApp {
 public:
  /// Null switches a part off.
  struct Parts {
    const LeaderGate* gate = nullptr;
    RateLimiter* limiter = nullptr;
    pd::MetricsRegistry* metrics = nullptr;
  };

  HttpApp(const Router& router, Parts parts);

  [[nodiscard]] HttpResponse Serve(HttpRequest request) const;

 private:
  [[nodiscard]] HttpResponse Route(HttpRequest& request) const;
  [[nodiscard]] HttpResponse Call(const Router::Match& match, const HttpRequest& request) const;

  const Router& router_;
  const Parts parts_;
  pd::CounterFamily* requests_ = nullptr;
  pd::HistogramFamily* seconds_ = nullptr;
  mutable CallerLabels callers_;
};

/// A path without empty, "." and ".." segments, as the reference cleans it; a trailing slash stays.
[[nodiscard]] std::string CleanPath(std::string_view decoded_path);

/// GET /metrics in Prometheus' text format.
void RegisterMetricsPage(Router& router, pd::MetricsRegistry& metrics);

}  // namespace api

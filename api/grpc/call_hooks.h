#pragma once

#include <chrono>
#include <string_view>
#include <unordered_map>

#include "api/grpc/registry.h"
#include "api/rate_limiter.h"
#include "pd/metrics/metrics.h"

namespace api {

/// Counts calls into the grpc_server_* metrics of the reference. Thread-safe; its registries must outlive it.
class CallMetrics {
 public:
  CallMetrics(pd::MetricsRegistry& metrics, const MethodRegistry& methods);

  void OnStarted(const MethodRegistry::Method& method);
  void OnReceived(const MethodRegistry::Method& method);
  void OnSent(const MethodRegistry::Method& method);
  void OnHandled(const MethodRegistry::Method& method, StatusCode code,
                 std::chrono::nanoseconds duration);

 private:
  struct Series {
    pd::Counter* started;
    pd::Counter* received;
    pd::Counter* sent;
    pd::Counter* handled_ok;
    pd::Histogram* seconds;
  };

  pd::CounterFamily& handled_;
  std::unordered_map<const MethodRegistry::Method*, Series> series_;  // Filled once, then read.
};

/// The name of a code as gRPC's Go side prints it: "OK", "Unavailable".
[[nodiscard]] std::string_view StatusCodeName(StatusCode code);

}  // namespace api

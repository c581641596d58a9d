#pragma once

#include <string>

#include "pd/metrics/metrics.h"
#include "scheduler/model/ids.h"

namespace api {

/// What stores' reports and what is pushed to stores move on the metrics page. A look-up takes locks: whoever handles
/// many messages of a store keeps what it got, whose counters live as long as the registry. Thread-safe.
class HeartbeatMetrics {
 public:
  explicit HeartbeatMetrics(pd::MetricsRegistry& registry);

  /// Region heartbeats of one store.
  struct Reports {
    pd::Counter* received;
    pd::Counter* bound;
    pd::Counter* ok;
    pd::Counter* refused;
    pd::Histogram* seconds;             // To take one in.
    pd::Histogram* seconds_on_the_way;  // From the end of the store's report interval on.
  };
  [[nodiscard]] Reports ReportsOf(scheduler::StoreId store, const std::string& address);

  /// Messages to one store.
  struct Pushes {
    pd::Counter* pushed;
    pd::Counter* failed;
    pd::Counter* skipped;  // It has no stream.
    pd::Counter* keepalives;
    pd::Counter* keepalives_failed;
  };
  [[nodiscard]] Pushes PushesOf(scheduler::StoreId store, const std::string& address);

  /// The time that a store's own heartbeat takes.
  [[nodiscard]] pd::Histogram& StoreSeconds(scheduler::StoreId store, const std::string& address);

 private:
  pd::CounterFamily& reports_;
  pd::HistogramFamily& report_seconds_;
  pd::HistogramFamily& report_latency_;
  pd::CounterFamily& pushes_;
  pd::HistogramFamily& store_seconds_;
};

}  // namespace api

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "pd/metrics/metrics.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"

namespace api {

/// What stores' reports and what is pushed to stores move on the metrics page. A look-up takes locks: whoever handles
/// many messages of a store keeps the handle that it got. Thread-safe.
///
/// A store has one set of series, labelled with its address. The set goes from the page once nobody holds its handle:
/// this class lets go when the page is next read after the store has gone or got another address, and streams let go
/// when they end or bind again. So there are never more sets than stores and open streams.
class HeartbeatMetrics {
 public:
  /// The address of a store; empty for one that is unknown or removed.
  using AddressOf = std::function<std::string(scheduler::StoreId)>;

  struct StoreSeries {
    // Region heartbeats of the store.
    pd::Counter* received;
    pd::Counter* bound;
    pd::Counter* ok;
    pd::Counter* refused;
    pd::Histogram* seconds;             // To take one in.
    pd::Histogram* seconds_on_the_way;  // From the end of the store's report interval on.
    // Messages to the store.
    pd::Counter* pushed;
    pd::Counter* failed;
    pd::Counter* skipped;  // It has no stream.
    pd::Counter* keepalives;
    pd::Counter* keepalives_failed;
    // The time that the store's own heartbeat takes.
    pd::Histogram* store_seconds;
  };
  using Handle = std::shared_ptr<const StoreSeries>;

  /// `address_of` is called without a lock of this class.
  HeartbeatMetrics(pd::MetricsRegistry& registry, AddressOf address_of);
  /// No handle may be left.
  ~HeartbeatMetrics();
  HeartbeatMetrics(const HeartbeatMetrics&) = delete;
  HeartbeatMetrics& operator=(const HeartbeatMetrics&) = delete;

  [[nodiscard]] Handle Of(scheduler::StoreId store) PD_EXCLUDES(mutex_);

 private:
  struct Labels {
    scheduler::StoreId store;
    std::string address;

    friend auto operator<=>(const Labels&, const Labels&) = default;
  };
  struct Current {
    std::string address;
    Handle handle;
  };

  Handle Make(Labels labels) PD_REQUIRES(mutex_);
  /// One handle less; the last takes the series along.
  void Release(const Labels& labels) PD_EXCLUDES(mutex_);
  void LetGo() PD_EXCLUDES(mutex_);

  pd::MetricsRegistry& registry_;
  const AddressOf address_of_;
  pd::CounterFamily& reports_;
  pd::HistogramFamily& report_seconds_;
  pd::HistogramFamily& report_latency_;
  pd::CounterFamily& pushes_;
  pd::HistogramFamily& store_seconds_;
  pd::Mutex mutex_;  // Taken before those of the families. Never held where a handle dies.
  std::map<scheduler::StoreId, Current> current_ PD_GUARDED_BY(mutex_);
  std::map<Labels, size_t> handles_ PD_GUARDED_BY(mutex_);  // Made and not yet released.
  const uint64_t collector_;
};

}  // namespace api

#include "api/grpc/heartbeat_metrics.h"

namespace api {
namespace {

/// 0.1 ms to 7 hours, and 0.5 ms to 2 s: the reference's.
std::vector<double> HandlingBounds() { return pd::ExponentialBounds(0.0001, 2, 29); }
std::vector<double> LatencyBounds() { return pd::ExponentialBounds(0.0005, 2, 13); }

}  // namespace

HeartbeatMetrics::HeartbeatMetrics(pd::MetricsRegistry& registry)
    : reports_(registry.Counters("pd_scheduler_region_heartbeat", "Counter of region heartbeat.",
                                 {"address", "store", "type", "status"})),
      report_seconds_(registry.Histograms("pd_scheduler_handle_region_heartbeat_duration_seconds",
                                          "Time to process a region heartbeat.", HandlingBounds(),
                                          {"address", "store"})),
      report_latency_(
          registry.Histograms("pd_scheduler_region_heartbeat_latency_seconds",
                              "Delay between the end of a report's interval and its receipt.",
                              LatencyBounds(), {"address", "store"})),
      pushes_(registry.Counters("pd_hbstream_region_message",
                                "Counter of messages on region heartbeat streams.",
                                {"address", "store", "type", "status"})),
      store_seconds_(registry.Histograms("pd_scheduler_handle_store_heartbeat_duration_seconds",
                                         "Time to process a store heartbeat.", HandlingBounds(),
                                         {"address", "store"})) {}

HeartbeatMetrics::Reports HeartbeatMetrics::ReportsOf(scheduler::StoreId store,
                                                      const std::string& address) {
  const std::string id = std::to_string(store.value);
  const auto counter = [&](const char* status) {
    return &reports_.With({address, id, "report", status});
  };
  return {counter("recv"),
          counter("bind"),
          counter("ok"),
          counter("err"),
          &report_seconds_.With({address, id}),
          &report_latency_.With({address, id})};
}

HeartbeatMetrics::Pushes HeartbeatMetrics::PushesOf(scheduler::StoreId store,
                                                    const std::string& address) {
  const std::string id = std::to_string(store.value);
  const auto counter = [&](const char* type, const char* status) {
    return &pushes_.With({address, id, type, status});
  };
  return {counter("push", "ok"), counter("push", "err"), counter("push", "skip"),
          counter("keepalive", "ok"), counter("keepalive", "err")};
}

pd::Histogram& HeartbeatMetrics::StoreSeconds(scheduler::StoreId store,
                                              const std::string& address) {
  return store_seconds_.With({address, std::to_string(store.value)});
}

}  // namespace api

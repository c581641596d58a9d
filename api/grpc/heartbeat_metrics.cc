#include "api/grpc/heartbeat_metrics.h"

#include <array>
#include <vector>

namespace api {
namespace {

/// 0.1 ms to 7 hours, and 0.5 ms to 2 s: the reference's.
std::vector<double> HandlingBounds() { return pd::ExponentialBounds(0.0001, 2, 29); }
std::vector<double> LatencyBounds() { return pd::ExponentialBounds(0.0005, 2, 13); }

constexpr std::array kReportStatuses = {"recv", "bind", "ok", "err"};
/// Type and status.
constexpr std::array<std::pair<const char*, const char*>, 5> kPushes = {
    {{"push", "ok"}, {"push", "err"}, {"push", "skip"}, {"keepalive", "ok"}, {"keepalive", "err"}}};

}  // namespace

HeartbeatMetrics::HeartbeatMetrics(pd::MetricsRegistry& registry, AddressOf address_of)
    : registry_(registry),
      address_of_(std::move(address_of)),
      reports_(registry.Counters("pd_scheduler_region_heartbeat", "Counter of region heartbeat.",
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
                                         {"address", "store"})),
      collector_(registry.AddCollector([this] { LetGo(); })) {}

HeartbeatMetrics::~HeartbeatMetrics() {
  registry_.RemoveCollector(collector_);
  std::map<scheduler::StoreId, Current> last;
  {
    const pd::MutexLock lock(mutex_);
    last.swap(current_);
  }
}

HeartbeatMetrics::Handle HeartbeatMetrics::Of(scheduler::StoreId store) {
  std::string address = address_of_(store);
  Handle old;  // Dies after the lock.
  const pd::MutexLock lock(mutex_);
  Current& current = current_[store];
  if (current.handle && current.address == address) return current.handle;
  old = std::move(current.handle);
  current.handle = Make({store, address});
  current.address = std::move(address);
  return current.handle;
}

HeartbeatMetrics::Handle HeartbeatMetrics::Make(Labels labels) {
  const std::string& address = labels.address;
  const std::string id = std::to_string(labels.store.value);
  const auto reports = [&](size_t n) {
    return &reports_.With({address, id, "report", kReportStatuses.at(n)});
  };
  const auto pushes = [&](size_t n) {
    return &pushes_.With({address, id, kPushes.at(n).first, kPushes.at(n).second});
  };
  const StoreSeries series{.received = reports(0),
                           .bound = reports(1),
                           .ok = reports(2),
                           .refused = reports(3),
                           .seconds = &report_seconds_.With({address, id}),
                           .seconds_on_the_way = &report_latency_.With({address, id}),
                           .pushed = pushes(0),
                           .failed = pushes(1),
                           .skipped = pushes(2),
                           .keepalives = pushes(3),
                           .keepalives_failed = pushes(4),
                           .store_seconds = &store_seconds_.With({address, id})};
  ++handles_[labels];
  return {new StoreSeries(series), [this, labels = std::move(labels)](const StoreSeries* dead) {
            delete dead;
            Release(labels);
          }};
}

void HeartbeatMetrics::Release(const Labels& labels) {
  const pd::MutexLock lock(mutex_);
  const auto it = handles_.find(labels);
  if (--it->second > 0) return;  // Its store has come back to this address meanwhile.
  handles_.erase(it);
  const std::string id = std::to_string(labels.store.value);
  for (const char* status : kReportStatuses) {
    reports_.Remove({labels.address, id, "report", status});
  }
  for (const auto& [type, status] : kPushes) pushes_.Remove({labels.address, id, type, status});
  for (pd::HistogramFamily* family : {&report_seconds_, &report_latency_, &store_seconds_}) {
    family->Remove({labels.address, id});
  }
}

/// Of the series of stores that are not there any more, or not at their address.
void HeartbeatMetrics::LetGo() {
  std::vector<Labels> held;
  {
    const pd::MutexLock lock(mutex_);
    for (const auto& [store, current] : current_) held.push_back({store, current.address});
  }
  std::erase_if(held, [this](const Labels& labels) {
    const std::string address = address_of_(labels.store);
    return !address.empty() && address == labels.address;
  });
  std::vector<Handle> old;  // Die after the lock.
  const pd::MutexLock lock(mutex_);
  for (const Labels& labels : held) {
    const auto it = current_.find(labels.store);
    if (it == current_.end() || it->second.address != labels.address) continue;
    old.push_back(std::move(it->second.handle));
    current_.erase(it);
  }
}

}  // namespace api

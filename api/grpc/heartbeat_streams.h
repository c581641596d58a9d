#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "api/grpc/heartbeat_metrics.h"
#include "api/grpc/registry.h"
#include "pd/cluster/command_sink.h"
#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "proto/pdpb.pb.h"

namespace api {

/// The open region-heartbeat stream of each store: the last one bound gets what is pushed (as in the reference).
/// Thread-safe. A stream that takes nothing for five seconds is aborted, what is queued for it lost; one that is closed
/// is unbound. Start() runs a thread that sends every bound stream a keepalive each minute; Stop() joins it.
class HeartbeatStreams final : public pd::CommandSink {
 public:
  using Sink = StreamSink<pdpb::RegionHeartbeatResponse>;

  /// What to count a store's messages with. Asked when a stream is bound, and for a store that has none.
  using SeriesOf = std::function<HeartbeatMetrics::Handle(scheduler::StoreId)>;

  /// `serving`: this member is the PD leader, with its lease; steps of operators are sent only then.
  HeartbeatStreams(std::function<uint64_t()> cluster_id, std::function<bool()> serving,
                   const pd::Clock& clock, SeriesOf series_of)
      : cluster_id_(std::move(cluster_id)),
        serving_(std::move(serving)),
        clock_(clock),
        series_of_(std::move(series_of)) {}
  ~HeartbeatStreams() override { Stop(); }

  void Start();
  void Stop();

  /// `stream` tells streams apart; 0 is none.
  void Bind(scheduler::StoreId store, uint64_t stream, const Sink& sink);
  /// The stream is over: takes it off every store.
  void Unbind(uint64_t stream);
  [[nodiscard]] uint64_t NewStream();

  bool Send(const scheduler::Region& region, const scheduler::StepCommand& command) override;
  /// An error text about a report, to the store of its leader.
  bool SendError(const metapb::Peer& leader, std::string text);

 private:
  struct Bound {
    uint64_t stream;
    Sink sink;
    HeartbeatMetrics::Handle series;
    std::optional<pd::Nanos> full_since;  // The store does not read.
  };

  bool Push(scheduler::StoreId store, const pdpb::RegionHeartbeatResponse& response);
  [[nodiscard]] bool IsStuck(uint64_t stream, SinkResult written) PD_EXCLUDES(mutex_);
  void KeepAliveLoop();

  const std::function<uint64_t()> cluster_id_;
  const std::function<bool()> serving_;
  const pd::Clock& clock_;
  const SeriesOf series_of_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  std::map<scheduler::StoreId, Bound> bound_ PD_GUARDED_BY(mutex_);
  uint64_t last_stream_ PD_GUARDED_BY(mutex_) = 0;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  std::thread keep_alive_;
};

}  // namespace api

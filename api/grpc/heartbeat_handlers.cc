#include "api/grpc/heartbeat_handlers.h"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/convert/go_text.h"
#include "api/convert/region_convert.h"
#include "api/grpc/cluster_calls.h"

namespace api {
namespace {

constexpr std::chrono::seconds kBindAgain{60};
constexpr int64_t kNsPerS = 1'000'000'000;

/// One store's stream of region heartbeats (as in the reference). A report is taken in where it arrives: there is no
/// answer to wait for, and what must last is saved later by the cluster.
class RegionHeartbeatSession final : public StreamSession<pdpb::RegionHeartbeatRequest> {
 public:
  RegionHeartbeatSession(const ClusterCalls& calls, HeartbeatStreams& streams,
                         HeartbeatStreams::Sink sink)
      : calls_(calls), streams_(streams), sink_(std::move(sink)), stream_(streams.NewStream()) {}

  void OnMessage(const pdpb::RegionHeartbeatRequest& request) override {
    if (!calls_.cluster.running()) {
      sink_.Write(NotBootstrapped<pdpb::RegionHeartbeatResponse>(calls_));
      sink_.Finish({});
      return;
    }
    if (auto status = CheckReportCall(calls_, request.header().cluster_id())) {
      sink_.Finish(std::move(*status));
      return;
    }
    const scheduler::StoreId store{request.leader().store_id()};
    const auto state = calls_.cluster.stores().NodeStateOf(store);
    if (!state) {
      sink_.Finish(
          {StatusCode::kUnknown, fmt::format("invalid store ID {}, not found", store.value)});
      return;
    }
    if (*state == scheduler::NodeState::kRemoved) return;
    HeartbeatMetrics::Handle& series = SeriesOf(store);
    series->received->Add();
    if (request.interval().end_timestamp() != 0) {
      const auto sent_s = static_cast<double>(request.interval().end_timestamp());
      const auto now_s = static_cast<double>(calls_.cluster.clock().UnixNanos() / kNsPerS);
      series->seconds_on_the_way->Observe(now_s - sent_s);
    }
    Bind(store, series);
    Take(request, *series);
  }

  void OnHalfClose() override { sink_.Finish({StatusCode::kUnknown, "EOF"}); }
  void OnClose() override { streams_.Unbind(stream_); }

 private:
  /// A look-up for each store and each time it is bound; nearly all streams carry one store's reports.
  HeartbeatMetrics::Handle& SeriesOf(scheduler::StoreId store) {
    const auto known = series_.find(store);
    if (known != series_.end()) return known->second;
    return series_.emplace(store, calls_.heartbeat_metrics.Of(store)).first->second;
  }

  void Bind(scheduler::StoreId store, HeartbeatMetrics::Handle& series) {
    const pd::Nanos now = calls_.cluster.clock().Monotonic();
    if (bound_ && now - bound_at_ < kBindAgain) return;
    streams_.Bind(store, stream_, sink_);
    // Its address may be another one now.
    series = calls_.heartbeat_metrics.Of(store);
    series->bound->Add();
    bound_ = true;
    bound_at_ = now;
  }

  void Take(const pdpb::RegionHeartbeatRequest& request,
            const HeartbeatMetrics::StoreSeries& series) {
    if (request.region().id() == 0) {
      series.refused->Add();
      streams_.SendError(request.leader(),
                         fmt::format("invalid request region, {}", GoText(request)));
      return;
    }
    if (request.region().peers().empty()) {
      std::string region = GoText(request.region());
      if (region.ends_with(' ')) region.pop_back();
      series.refused->Add();
      streams_.SendError(request.leader(),
                         fmt::format("invalid region, zero region peer count: {}", region));
      return;
    }
    const pd::Nanos start = calls_.cluster.clock().Monotonic();
    const auto taken = calls_.cluster.HandleRegionReport(ReportOf(request));
    if (!taken) {
      series.refused->Add();
      streams_.SendError(request.leader(), taken.error().context);
      return;
    }
    const std::chrono::duration<double> seconds = calls_.cluster.clock().Monotonic() - start;
    series.seconds->Observe(seconds.count());
    series.ok->Add();
  }

  const ClusterCalls calls_;
  HeartbeatStreams& streams_;
  HeartbeatStreams::Sink sink_;
  const uint64_t stream_;
  bool bound_ = false;
  pd::Nanos bound_at_{0};
  std::map<scheduler::StoreId, HeartbeatMetrics::Handle> series_;  // One, as a rule.
};

/// Buckets of regions (as in the reference); no answer unless something is wrong.
class ReportBucketsSession final : public StreamSession<pdpb::ReportBucketsRequest> {
 public:
  ReportBucketsSession(const ClusterCalls& calls, StreamSink<pdpb::ReportBucketsResponse> sink)
      : calls_(calls), sink_(std::move(sink)) {}

  void OnMessage(const pdpb::ReportBucketsRequest& request) override {
    if (!calls_.cluster.running()) {
      sink_.Write(NotBootstrapped<pdpb::ReportBucketsResponse>(calls_));
      sink_.Finish({});
      return;
    }
    if (auto status = CheckReportCall(calls_, request.header().cluster_id())) {
      sink_.Finish(std::move(*status));
      return;
    }
    if (request.buckets().keys().empty()) return;
    calls_.cluster.HandleBuckets(scheduler::RegionId{request.buckets().region_id()},
                                 BucketsOf(request.buckets()));
  }
  void OnHalfClose() override { sink_.Finish({StatusCode::kUnknown, "EOF"}); }

 private:
  const ClusterCalls calls_;
  StreamSink<pdpb::ReportBucketsResponse> sink_;
};

}  // namespace

void AddHeartbeatHandlers(MethodRegistry& registry, const ClusterCalls& calls,
                          HeartbeatStreams& streams) {
  registry.Stream<pdpb::RegionHeartbeatRequest, pdpb::RegionHeartbeatResponse>(
      "/pdpb.PD/RegionHeartbeat", kPdpbFast,
      [calls, &streams](const CallContext&, HeartbeatStreams::Sink sink) {
        return std::make_unique<RegionHeartbeatSession>(calls, streams, std::move(sink));
      });
  registry.ClientStream<pdpb::ReportBucketsRequest, pdpb::ReportBucketsResponse>(
      "/pdpb.PD/ReportBuckets", kPdpbFast,
      [calls](const CallContext&, StreamSink<pdpb::ReportBucketsResponse> sink) {
        return std::make_unique<ReportBucketsSession>(calls, std::move(sink));
      });
}

}  // namespace api

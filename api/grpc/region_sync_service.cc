#include "api/grpc/region_sync_service.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/convert/region_convert.h"
#include "pd/codec/metapb_codec.h"

namespace api {
namespace {

constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kKeepAlive{10};
constexpr size_t kFrameRegions = 1000;
/// A full copy takes at most 20 MB/s: this much in each pause.
constexpr size_t kCopyBytesPerPause = 20'000'000 / (1000 / 20);

void SetStat(const scheduler::Region& region, pdpb::RegionStat& out) {
  out.set_bytes_written(region.flow.bytes_written);
  out.set_bytes_read(region.flow.bytes_read);
  out.set_keys_written(region.flow.keys_written);
  out.set_keys_read(region.flow.keys_read);
}

}  // namespace

/// One follower's call: its first message subscribes it, later ones change nothing.
class RegionSyncService::Session final : public StreamSession<pdpb::SyncRegionRequest> {
 public:
  Session(RegionSyncService& service, uint64_t stream, Sink sink)
      : service_(service), stream_(stream), sink_(std::move(sink)) {}

  void OnMessage(const pdpb::SyncRegionRequest& request) override {
    const ClusterCalls& calls = service_.calls_;
    if (!calls.cluster.running()) {
      sink_.Finish({StatusCode::kUnavailable, "server not started"});
      return;
    }
    if (request.header().cluster_id() != calls.cluster_id()) {
      sink_.Finish({StatusCode::kFailedPrecondition,
                    fmt::format("mismatch cluster id, need {} but got {}", calls.cluster_id(),
                                request.header().cluster_id())});
      return;
    }
    if (subscribed_) return;
    subscribed_ = true;
    service_.Subscribe(stream_, request.member().name(), request.start_index(), sink_);
  }
  void OnHalfClose() override { sink_.Finish({}); }
  void OnClose() override { service_.Unsubscribe(stream_); }

 private:
  RegionSyncService& service_;
  const uint64_t stream_;
  Sink sink_;
  bool subscribed_ = false;
};

void RegionSyncService::Register(MethodRegistry& registry) {
  registry.Stream<pdpb::SyncRegionRequest, pdpb::SyncRegionResponse>(
      "/pdpb.PD/SyncRegions", {RunOn::kIo, Forwarding::kNone, RateLimited::kYes},
      [this](const CallContext&, Sink sink) {
        const pd::MutexLock lock(mutex_);
        return std::make_unique<Session>(*this, ++last_stream_, std::move(sink));
      });
}

void RegionSyncService::Start() {
  pusher_ = std::thread([this] { Run(); });
}

void RegionSyncService::Stop() {
  {
    const pd::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  if (pusher_.joinable()) pusher_.join();
}

void RegionSyncService::Subscribe(uint64_t stream, const std::string& name, uint64_t start_index,
                                  const Sink& sink) {
  auto follower = std::make_shared<Follower>(Follower{.name = name,
                                                      .sink = sink,
                                                      .full = false,
                                                      .announced = false,
                                                      .walk_key = {},
                                                      .walked = 0,
                                                      .next_index = start_index,
                                                      .last_frame = {}});
  if (!calls_.cluster.feed().From(start_index, 1)) {
    follower->full = true;
    follower->next_index = calls_.cluster.feed().next_index();
  }
  std::vector<Sink> replaced;
  {
    const pd::MutexLock lock(mutex_);
    std::erase_if(followers_, [&](const auto& entry) {
      if (entry.second->name != name) return false;
      replaced.push_back(entry.second->sink);
      return true;
    });
    followers_[stream] = std::move(follower);
  }
  for (const Sink& old : replaced) {
    // The follower has left it, and reads nothing more there.
    old.Abort({StatusCode::kUnavailable, "region syncer stream closed"});
  }
  wake_.NotifyAll();
}

void RegionSyncService::Unsubscribe(uint64_t stream) {
  const pd::MutexLock lock(mutex_);
  followers_.erase(stream);
}

void RegionSyncService::Run() {
  while (true) {
    std::vector<std::shared_ptr<Follower>> followers;
    {
      const pd::MutexLock lock(mutex_);
      if (!stopping_) wake_.WaitFor(mutex_, kPause);
      if (stopping_) return;
      for (const auto& [stream, follower] : followers_) followers.push_back(follower);
    }
    for (const auto& follower : followers) Push(*follower);
  }
}

void RegionSyncService::Push(Follower& follower) {
  if (!calls_.cluster.running()) {
    follower.sink.Finish({StatusCode::kUnavailable, "server not started"});
    return;
  }
  size_t budget = kCopyBytesPerPause;
  while (follower.full && budget > 0) {
    if (!PushCopy(follower, budget)) return;
  }
  // Changes go on while a copy runs, or a busy cluster would overrun it.
  while (PushChanges(follower)) {
  }
  if (!follower.full) PushSign(follower);
}

/// One frame of the full copy. False when the follower takes no more for now.
bool RegionSyncService::PushCopy(Follower& follower, size_t& budget_bytes) {
  std::vector<scheduler::Region> regions =
      calls_.cluster.regions().Scan({follower.walk_key, ""}, kFrameRegions);
  if (calls_.cluster.regions().only_bootstrapped()) regions.clear();
  size_t bytes = 0;
  if (!regions.empty() && !Send(follower, regions, follower.walked, &bytes)) return false;
  budget_bytes -= std::min(budget_bytes, bytes);
  follower.walked += regions.size();
  if (regions.size() < kFrameRegions || regions.back().end_key.empty()) {
    follower.full = false;
  } else {
    const scheduler::Region& last = regions.back();
    follower.walk_key = last.end_key > last.start_key ? last.end_key : last.start_key + '\0';
  }
  return true;
}

/// One frame of changes. True when a frame more is there already.
bool RegionSyncService::PushChanges(Follower& follower) {
  const auto changes = calls_.cluster.feed().From(follower.next_index, kFrameRegions);
  if (!changes) {
    follower.full = true;
    follower.announced = false;
    follower.walk_key.clear();
    follower.walked = 0;
    follower.next_index = calls_.cluster.feed().next_index();
    return false;
  }
  if (changes->empty() || !Send(follower, *changes, follower.next_index, nullptr)) return false;
  follower.next_index += changes->size();
  return changes->size() == kFrameRegions;
}

/// The empty frame that completes a copy, or shows that we live.
void RegionSyncService::PushSign(Follower& follower) {
  const auto now = std::chrono::steady_clock::now();
  if (follower.announced && now - follower.last_frame < kKeepAlive) return;
  if (Send(follower, {}, follower.next_index, nullptr)) follower.announced = true;
}

bool RegionSyncService::Send(Follower& follower, const std::vector<scheduler::Region>& regions,
                             uint64_t start_index, size_t* bytes) {
  pdpb::SyncRegionResponse frame;
  frame.mutable_header()->set_cluster_id(calls_.cluster_id());
  frame.set_start_index(start_index);
  for (const scheduler::Region& region : regions) {
    pd::SetRegion(region, *frame.add_regions());
    SetStat(region, *frame.add_region_stats());
    pd::SetPeer(region.leader, *frame.add_region_leaders());
    metapb::Buckets& buckets = *frame.add_buckets();
    if (region.buckets.version != 0) SetBuckets(region, buckets);
  }
  if (bytes != nullptr) *bytes = frame.ByteSizeLong();
  if (follower.sink.Write(frame) != SinkResult::kQueued) return false;
  follower.last_frame = std::chrono::steady_clock::now();
  return true;
}

void TakeFrame(const pdpb::SyncRegionResponse& frame, pd::RegionTable& regions) {
  for (int i = 0; i < frame.regions_size(); ++i) {
    scheduler::Region region = pd::RegionOf(frame.regions(i));
    if (!region.id) continue;
    region.source = scheduler::RegionSource::kSync;
    if (i < frame.region_leaders_size()) region.leader = pd::PeerOf(frame.region_leaders(i));
    if (i < frame.region_stats_size()) {
      const pdpb::RegionStat& stat = frame.region_stats(i);
      region.flow.bytes_written = stat.bytes_written();
      region.flow.bytes_read = stat.bytes_read();
      region.flow.keys_written = stat.keys_written();
      region.flow.keys_read = stat.keys_read();
    }
    if (i < frame.buckets_size() && frame.buckets(i).version() != 0) {
      region.buckets = BucketsOf(frame.buckets(i));
    }
    regions.PutSynced(region);
  }
}

}  // namespace api

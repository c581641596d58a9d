#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "api/grpc/cluster_calls.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/region.h"

namespace api {

/// Feeds the followers' copies of the regions (SyncRegions): a full copy at a bounded rate to whoever
/// needs one, then every change. One thread pushes to all streams; a follower that does not read is held at its queue
/// and, once it has fallen out of the feed's ring, starts over with a full copy. Thread-safe.
class RegionSyncService {
 public:
  explicit RegionSyncService(const ClusterCalls& calls) : calls_(calls) {}
  ~RegionSyncService() { Stop(); }

  void Register(MethodRegistry& registry);
  void Start();
  void Stop();

 private:
  using Sink = StreamSink<pdpb::SyncRegionResponse>;
  class Session;

  /// One follower. The full copy walks by key; `next_index` is what it wants next of the feed.
  struct Follower {
    std::string name;
    Sink sink;
    bool full = false;       // A full copy is under way, from `walk_key` on.
    bool announced = false;  // It was told, by an empty frame, that its copy is complete.
    std::string walk_key;
    uint64_t walked = 0;  // Regions sent of the full copy.
    uint64_t next_index = 0;
    std::chrono::steady_clock::time_point last_frame;
  };

  /// `stream` tells streams apart. A follower of the same name is replaced and its stream ended.
  void Subscribe(uint64_t stream, const std::string& name, uint64_t start_index, const Sink& sink);
  void Unsubscribe(uint64_t stream);
  void Run();
  void Push(Follower& follower);
  bool PushCopy(Follower& follower, size_t& budget_bytes);
  bool PushChanges(Follower& follower);
  void PushSign(Follower& follower);
  bool Send(Follower& follower, const std::vector<scheduler::Region>& regions, uint64_t start_index,
            size_t* bytes);

  const ClusterCalls calls_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  std::map<uint64_t, std::shared_ptr<Follower>> followers_ PD_GUARDED_BY(mutex_);
  uint64_t last_stream_ PD_GUARDED_BY(mutex_) = 0;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  std::thread pusher_;
};

/// Takes one frame of the feed into a follower's table.
void TakeFrame(const pdpb::SyncRegionResponse& frame, pd::RegionTable& regions);

}  // namespace api

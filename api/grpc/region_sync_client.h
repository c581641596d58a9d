#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/grpc/client_stream.h"
#include "pd/cluster/cluster.h"
#include "pd/runtime/mutex.h"

namespace api {

/// A follower's side of SyncRegions: keeps a stream to the PD leader open while this member does not lead, and takes
/// what comes into the region table. The cluster counts as synced from the first frame without regions until the stream
/// ends. Start() runs a thread that looks after the stream every half second; Stop() ends both.
class RegionSyncClient {
 public:
  struct Deps {
    pd::Cluster& cluster;
    std::function<bool()> serving;                          // This member is the PD leader.
    std::function<std::vector<std::string>()> leader_urls;  // Client URLs; empty: unknown.
    std::function<uint64_t()> cluster_id;
    std::string name;  // Of this member.
    std::vector<std::string> client_urls;
    const GrpcCredentials* tls =
        nullptr;  // For https URLs, as in OpenChannel; outlives the client.
  };

  explicit RegionSyncClient(Deps deps) : deps_(std::move(deps)) {}
  ~RegionSyncClient() { Stop(); }

  void Start();
  void Stop();

 private:
  class Connection;

  void Run();
  void Look();

  const Deps deps_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  ClientLoop loop_;
  std::string url_;                         // Of the stream that is open; the thread's own.
  size_t tried_ = 0;                        // Which of the leader's URLs is next.
  uint64_t next_index_ = 0;                 // Of the feed; carried from stream to stream.
  std::shared_ptr<Connection> connection_;  // The thread's own.
  std::thread thread_;
};

}  // namespace api

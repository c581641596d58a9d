#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proto/pdpb.pb.h"
#include "tests/harness/pd_client.h"
#include "tests/harness/stream.h"

namespace storesim {

/// The way to the placement driver: unary calls, one heartbeat stream a store, and a thread that follows its leader and
/// sends store heartbeats, so that a dead leader never holds up the simulation. Thread-safe.
class DriverLink {
 public:
  struct Answer {
    uint64_t store_id = 0;
    pdpb::RegionHeartbeatResponse response;
  };

  explicit DriverLink(std::vector<std::string> endpoints);
  ~DriverLink();

  harness::PdClient& client() { return client_; }

  /// `count` ids, in no particular order.
  std::vector<uint64_t> AllocIds(size_t count);

  /// Starts following. Call it once the cluster is bootstrapped.
  void Start();
  void Stop();

  /// Opens the stream of a store with the first message and keeps it open, whoever leads.
  void SendRegion(uint64_t store_id, const pdpb::RegionHeartbeatRequest& request);
  void CloseStream(uint64_t store_id);
  void SendStore(const pdpb::StoreHeartbeatRequest& request);

  /// What has arrived; waits at most `timeout` for the first.
  std::vector<Answer> TakeAnswers(harness::Millis timeout);

  int64_t leader_changes() const;

 private:
  struct StoreStream {
    std::string leader;
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<harness::Stream> stream;
  };

  void Follow();
  std::shared_ptr<harness::Stream> StreamOf(uint64_t store_id);
  void Receive(uint64_t store_id, grpc::ByteBuffer bytes);
  void LoseLeader();

  harness::PdClient client_;
  mutable std::mutex mutex_;
  std::condition_variable wake_follower_;
  std::condition_variable wake_reader_;
  bool stopped_ = false;
  bool leader_lost_ = false;
  int64_t leader_changes_ = 0;
  std::string last_leader_;
  std::map<uint64_t, StoreStream> streams_;
  std::deque<pdpb::StoreHeartbeatRequest> store_heartbeats_;
  std::vector<Answer> answers_;
  std::thread follower_;
};

}  // namespace storesim

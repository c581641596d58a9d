#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/grpc/registry.h"
#include "api/tls/grpc_credentials.h"
#include "pd/replication/transport.h"

namespace api {

/// The peers' transport over gRPC: to each peer two channels of their own, one for small messages and one for
/// snapshots,
/// each with one client stream that stays open. A broken stream is opened again after 50 ms, doubling up to 500 ms
/// (gRPC's
/// own 1-120 s would make a failover wait), at the next of the peer's URLs. What was queued on a stream that breaks is
/// dropped: Raft sends it again.
///
/// Thread-safe. Send wakes no thread: it writes from the caller's. The destructor cancels all streams and waits for
/// them.
class GrpcRaftTransport final : public pd::Transport {
 public:
  struct Options {
    size_t messages_max = 4096;  // Waiting small messages to one peer.
    size_t message_bytes_max = 64u << 20;
    size_t chunks_max = 64;  // Waiting snapshot pieces to one peer.
    size_t chunk_bytes_max = 16u << 20;
    std::chrono::milliseconds backoff_min{50};
    std::chrono::milliseconds backoff_max{500};
    std::chrono::milliseconds connect_timeout{1000};
    /// A peer that does not answer a ping for this long is disconnected, and reconnected.
    std::chrono::milliseconds ping{1000};
    /// For peers at https URLs, as in OpenChannel; outlives the transport.
    const GrpcCredentials* tls = nullptr;
  };

  explicit GrpcRaftTransport(Options options);
  ~GrpcRaftTransport() override;
  GrpcRaftTransport(const GrpcRaftTransport&) = delete;
  GrpcRaftTransport& operator=(const GrpcRaftTransport&) = delete;

  bool Send(raft::NodeId to, std::string bytes) override;
  bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override;
  void SetPeers(std::vector<Peer> peers) override;
  [[nodiscard]] bool removed() const override;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

/// What became of a message. A sender that was removed from the group has its stream ended with a status that says so.
enum class RaftReceipt { kTaken, kSenderRemoved };

/// Takes one message or snapshot piece from a peer; called on the server's io threads, so it must only queue.
using RaftReceiver = std::function<RaftReceipt(std::string bytes)>;

/// Registers the receiving side, for the server on the peer port.
void RegisterRaftTransport(MethodRegistry& methods, RaftReceiver receive);

}  // namespace api

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "pd/replication/transport.h"

namespace pd {

/// A transport for a member that joins: as long as it has learned no member from the leader it reaches those that the
/// join answered, because Raft cannot bring it the list before it can answer the leader. Later the group's own list
/// counts.
class SeedTransport final : public Transport {
 public:
  /// `inner` must outlive this.
  SeedTransport(Transport& inner, std::vector<Peer> seeds)
      : inner_(inner), seeds_(std::move(seeds)) {
    if (!seeds_.empty()) inner_.SetPeers(seeds_);
  }

  bool Send(raft::NodeId to, std::string bytes) override {
    return inner_.Send(to, std::move(bytes));
  }
  bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override {
    return inner_.SendSnapshotChunk(to, std::move(bytes));
  }
  void SetPeers(std::vector<Peer> peers) override {
    if (peers.empty()) peers = seeds_;
    inner_.SetPeers(std::move(peers));
  }
  [[nodiscard]] bool removed() const override { return inner_.removed(); }

 private:
  Transport& inner_;
  const std::vector<Peer> seeds_;
};

}  // namespace pd

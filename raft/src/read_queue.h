#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "raft/src/tracker/tracker.h"
#include "raft/types.h"

namespace raft {

/// Read requests of a leader that wait until a quorum has confirmed that it still leads
/// (thesis 6.4). Heartbeats carry the number of the newest request; an answer to a heartbeat
/// confirms every request up to its number, so a batch of reads costs one round.
///
/// Request k since the leader's election has number k; confirmed() are answered, the rest queues.
class ReadQueue {
 public:
  struct Request {
    NodeId from = kNoNode;
    LogIndex index = 0;  ///< Committed as the request came: what the read must see.
    Payload context;
  };

  void Clear();
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

  void Add(Request request);

  /// What heartbeats carry: the newest number as 8 bytes, little end first; unset when none waits.
  const Payload& heartbeat_context() const { return context_; }

  /// A heartbeat answer came with this context. Nonsense is ignored.
  void Acknowledge(NodeId from, std::string_view context);

  /// Takes out the requests that a quorum has confirmed, oldest first. `self` confirms all.
  std::vector<Request> TakeConfirmed(const Tracker& tracker, NodeId self);

 private:
  uint64_t newest() const { return confirmed_ + waiting_.size(); }
  void RenewContext();

  std::deque<Request> waiting_;
  uint64_t confirmed_ = 0;
  std::vector<std::pair<NodeId, uint64_t>> acknowledged_;
  Payload context_;
};

}  // namespace raft

#pragma once

#include <string>
#include <vector>

#include "raft/types.h"

namespace pd {

/// Carries bytes between the members of the group. What arrives goes to RaftGroup::Receive, for
/// both kinds of sending. Raft stands loss, delay, repetition and reordering of whole messages; a
/// message is never cut or changed. Every call is made on the raft thread, must return at once, and
/// may be dropped: queues are bounded, and a full queue or a peer out of reach is an answer of
/// false, not a wait. Reconnects back off 50-500 ms.
class Transport {
 public:
  struct Peer {
    raft::NodeId id = 0;
    std::vector<std::string> urls;  // Any of them will do; try them in turn.

    friend bool operator==(const Peer&, const Peer&) = default;
  };

  virtual ~Transport() = default;

  /// Small messages (votes, heartbeats, appends up to a few MiB). Kept in order towards one peer.
  virtual bool Send(raft::NodeId to, std::string bytes) = 0;

  /// Pieces of a snapshot, a few hundred KiB each, on a channel of their own so that they never
  /// hold up the small messages. A refused piece is offered again later.
  virtual bool SendSnapshotChunk(raft::NodeId to, std::string bytes) = 0;

  /// The peers from now on (never the member itself). Channels to ids no longer named are closed,
  /// changed addresses are connected anew.
  virtual void SetPeers(std::vector<Peer> peers) = 0;

  /// A peer has refused a message with RaftGroup::Receive's kNotFound: this member was removed from the group. A
  /// member that was away meanwhile has no other way to learn it, as nobody sends to it any more. Stays true.
  [[nodiscard]] virtual bool removed() const { return false; }
};

}  // namespace pd

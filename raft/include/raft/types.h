#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "raft/payload.h"

namespace raft {

/// A node of the group. 0 is "none"; the two highest values name the storage threads of
/// asynchronous storage writes and never a node.
using NodeId = uint64_t;
using Term = uint64_t;
using LogIndex = uint64_t;

inline constexpr NodeId kNoNode = 0;
inline constexpr NodeId kAppendThread = UINT64_MAX;
inline constexpr NodeId kApplyThread = UINT64_MAX - 1;

/// As a size in bytes or a count: no limit.
inline constexpr uint64_t kNoLimit = UINT64_MAX;

/// Values are those of the wire field eraftpb.Entry.entry_type.
enum class EntryType : uint8_t {
  kNormal = 0,
  kConfChange = 1,    ///< One change, see conf_change.h.
  kConfChangeV2 = 2,  ///< Any number of changes, joint if need be.
};

/// A place in the replicated log. Entries of one index and term are the same on every node.
struct Entry {
  EntryType type = EntryType::kNormal;
  Term term = 0;
  LogIndex index = 0;
  Payload data;

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Bytes the entry takes as an encoded protobuf message; what size limits of messages and of
/// committed entries count.
uint64_t EncodedSize(const Entry& entry);

/// What must survive a restart beside the log. All zero is "nothing yet".
struct HardState {
  Term term = 0;
  NodeId vote = kNoNode;
  LogIndex commit = 0;

  bool empty() const { return *this == HardState{}; }
  friend bool operator==(const HardState&, const HardState&) = default;
};

/// The membership. `voters_outgoing`, `learners_next` and `auto_leave` are set only in the middle
/// of a joint change: then decisions need a majority of both voters and voters_outgoing, and
/// learners_next are outgoing voters that become learners at its end.
struct ConfState {
  std::vector<NodeId> voters;
  std::vector<NodeId> learners;
  std::vector<NodeId> voters_outgoing;
  std::vector<NodeId> learners_next;
  bool auto_leave = false;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

/// True if both describe the same membership, whatever the order in their lists.
bool Equivalent(const ConfState& a, const ConfState& b);

struct SnapshotMetadata {
  ConfState conf_state;  ///< The membership as of `index`.
  LogIndex index = 0;    ///< The last entry the snapshot contains; 0: there is no snapshot.
  Term term = 0;         ///< The term of that entry.

  friend bool operator==(const SnapshotMetadata&, const SnapshotMetadata&) = default;
};

struct Snapshot {
  SnapshotMetadata metadata;
  Payload data;  ///< The host's: the state, or a manifest that says how to get it.

  bool empty() const { return metadata.index == 0; }
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// Snapshots never change once made, and travel through several hands: shared. Null is "none".
using SnapshotPtr = std::shared_ptr<const Snapshot>;

/// Values 0 to 18 are those of the wire field eraftpb.Message.msg_type.
enum class MessageType : uint8_t {
  kHup = 0,
  kBeat,
  kProp,
  kApp,
  kAppResp,
  kVote,
  kVoteResp,
  kSnap,
  kHeartbeat,
  kHeartbeatResp,
  kUnreachable,
  kSnapStatus,
  kCheckQuorum,
  kTransferLeader,
  kTimeoutNow,
  kReadIndex,
  kReadIndexResp,
  kPreVote,
  kPreVoteResp,
  kStorageAppend,
  kStorageAppendResp,
  kStorageApply,
  kStorageApplyResp,
  kForgetLeader,
};

/// True for types that never come from another node: Hup, Beat, Unreachable, SnapStatus,
/// CheckQuorum and the four Storage types. A transport must neither send nor accept them.
bool IsLocal(MessageType type);

/// True for types that answer another message.
bool IsResponse(MessageType type);

/// What nodes tell each other. Which fields mean something depends on the type; the rest stay zero.
struct Message {
  MessageType type = MessageType::kHup;
  NodeId to = kNoNode;
  NodeId from = kNoNode;
  Term term = 0;      ///< 0: local, or a forwarded proposal or read.
  Term log_term = 0;  ///< Term of the entry at `index`.
  LogIndex index = 0;
  std::vector<Entry> entries;
  LogIndex commit = 0;
  NodeId vote = kNoNode;  ///< StorageAppend only: with term and commit, the hard state to write.
  SnapshotPtr snapshot;
  bool reject = false;
  LogIndex reject_hint = 0;
  LogIndex request_snapshot =
      0;                 ///< Refusing AppResp: a snapshot at this index or later is wanted.
  int64_t priority = 0;  ///< Vote and PreVote: that of the candidate.
  Term commit_term = 0;  ///< Vote, PreVote and refusals, with Config::commit_by_vote: of `commit`.
  Payload context;
  std::vector<Message> responses;  ///< Storage messages only: to deliver once the work is done.
};

}  // namespace raft

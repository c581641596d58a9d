#pragma once

#include <optional>
#include <vector>

#include "raft/types.h"

/// # The Ready contract
///
/// A Ready is the only way out of the library: everything the host must write, send and apply. The
/// order in which the host does it is what makes Raft safe.
///
/// ## Synchronous mode (Config::async_storage_writes off)
///
/// 1. Write `hard_state`, `entries` and `snapshot`, together, and fsync if `must_sync` or if there is
///    a snapshot. Writing an entry at index i discards whatever is stored at i and beyond.
/// 2. Send `messages`, in their order. The first `immediate_count` of them do not depend on step 1
///    and may be sent before it or beside it, so that followers write while the leader does (Raft
///    thesis, 10.2.1); the others promise something that must be durable first. For each Snap
///    message sent, call ReportSnapshot with how it went, and for a node that cannot be reached
///    ReportUnreachable. Messages may be lost, doubled and reordered.
/// 3. Apply `snapshot`, then `committed_entries`, in order. For a membership entry call
///    ApplyConfChange with what DecodeConfChange gives (to refuse it: with its node ids set to
///    kNoNode); that happens before the next GetReady. Entries without data are the leader's own.
///    Committed entries may be among `entries` of the same Ready, hence step 1 before step 3.
/// 4. Call Advance, and only then GetReady again. A node's own vote, and a leader's own
///    acknowledgement of its entries, count from here on: even a single-node group needs a round to
///    elect itself and another to commit.
///
/// ## Asynchronous mode (Config::async_storage_writes on)
///
/// Advance must not be called, and GetReady may be called at any time. `messages` can all be sent
/// at once; the fields for entries, hard state, snapshot and committed entries only inform. The
/// work is in two kinds of message:
///
/// - StorageAppend, to kAppendThread: write its entries and snapshot, and the hard state {term, vote,
///   commit} if these are not all zero; make it durable; then deliver its `responses`, each to the
///   node it names (to this one through Step). Without responses durability is not needed.
/// - StorageApply, to kApplyThread: apply its entries, then deliver its responses.
///
/// To each of the two the messages are handled in order, and none may get lost. ApplyConfChange is
/// still called on the thread of the library. Entries are handed out as committed only once this
/// node has written them (but see Config::max_apply_unpersisted_log_limit).
///
/// The two run beside each other. So a snapshot may be written while entries before it still wait to
/// be applied: these, and their membership changes, are then skipped, and their responses delivered
/// all the same. And the applied index may be ahead of the stored commit index: who compacts the log
/// raises that one first (see storage.h), and a later write must not lower it again.
///
/// ## In parts (Config::light_ready on)
///
/// As the synchronous mode, but what was done is told as it is done, and committed entries are handed
/// out only once this node has made them durable (again but for max_apply_unpersisted_log_limit).
/// Readies are numbered. Instead of Advance:
///
/// - AdvanceAppend, when the write and all earlier ones are durable: gives at once what that leads to,
///   a LightReady with the new commit index, more to apply, and a leader's messages. Write the commit
///   index before or with what is applied.
/// - or AdvanceAppendAsync, when the write can be read through Storage but is not durable yet. The
///   next Ready may be taken; once the write is durable, OnPersistReady with its number, and then the
///   messages behind the first `immediate_count` may go. A Ready with nothing to write is as durable
///   as the one before it.
/// - AdvanceApply or AdvanceApplyTo, when what was handed out has been applied: in order, at any time,
///   but ApplyConfChange before the next GetReady, and all of it, with the snapshot, before the write
///   of a snapshot is told to be durable. With that the snapshot counts as applied.
///
/// These calls take the Ready's memory back: what is sent or applied later has to be moved out before.
/// Advance says all three at once; what follows from it comes with the next Ready.
namespace raft {

/// States by what they do. Values are those of the wire.
enum class Role : uint8_t { kFollower = 0, kCandidate = 1, kLeader = 2, kPreCandidate = 3 };

/// What need not be saved.
struct SoftState {
  NodeId leader = kNoNode;  ///< kNoNode: none is known.
  Role role = Role::kFollower;

  friend bool operator==(const SoftState&, const SoftState&) = default;
};

/// The answer to ReadIndex: what was written before the call is visible once `index` is applied.
struct ReadState {
  LogIndex index = 0;
  Payload context;  ///< As given to ReadIndex.
};

/// What the durable write of a Ready led to, with Config::light_ready.
struct LightReady {
  std::optional<LogIndex> commit_index;  ///< If it moved: to write, no fsync needed.
  std::vector<Entry> committed_entries;  ///< To apply, behind those of the Ready.
  std::vector<Message> messages;         ///< To send now. Of a leader only.
};

struct Ready {
  uint64_t number = 0;                  ///< 1, 2, ... since the start.
  std::optional<SoftState> soft_state;  ///< If it changed.
  std::optional<HardState> hard_state;  ///< If it changed.
  std::vector<ReadState> read_states;
  std::vector<Entry> entries;            ///< To write.
  SnapshotPtr snapshot;                  ///< To write and to apply.
  std::vector<Entry> committed_entries;  ///< To apply; in order, without a gap, each once.
  std::vector<Message> messages;         ///< To send, to other nodes and to the storage threads.
  size_t immediate_count = 0;            ///< How many of `messages`, from the front, need no wait.
  bool must_sync =
      false;  ///< The write must be durable before the rest is sent. Not set for a snapshot
              ///< alone, though it must be as well.
};

}  // namespace raft

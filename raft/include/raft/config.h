#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "raft/logger.h"
#include "raft/result.h"
#include "raft/types.h"

namespace raft {

class Storage;

enum class ReadOnlyOption : uint8_t {
  kSafe,        ///< Each read index is confirmed by a quorum.
  kLeaseBased,  ///< Answered by the leader alone while its lease holds, see lease_margin; else as kSafe.
};

/// A uniform random number below `bound` (> 0). Injected, so that a run can be repeated from a
/// seed.
using RandomSource = std::function<uint64_t(uint64_t bound)>;

struct Config {
  /// This node; neither kNoNode nor a storage thread.
  NodeId id = kNoNode;

  /// Base election timeout in ticks, > heartbeat_tick and at most 2^30; ten times it is usual. A node campaigns
  /// after a random time in [election_tick, 2 * election_tick - 1] without a leader; leases,
  /// check-quorum and a leader transfer use the base.
  uint32_t election_tick = 0;

  /// Bounds of that random time: it is in [min_election_tick, max_election_tick - 1]. 0: election_tick and
  /// twice election_tick. min_election_tick is at least election_tick and less than max_election_tick.
  uint32_t min_election_tick = 0;
  uint32_t max_election_tick = 0;

  /// Ticks between heartbeats of a leader, > 0.
  uint32_t heartbeat_tick = 0;

  /// Outlives the node; not null.
  Storage* storage = nullptr;

  /// Randomizes the election timeout; not null.
  RandomSource random;

  /// Last entry the state machine has applied, on a restart: entries up to it are not handed out
  /// again. 0: as far as the storage's first index says.
  LogIndex applied = 0;

  /// Encoded bytes of entries in one append message; an entry that alone is larger still goes.
  /// 0: one entry a message.
  uint64_t max_size_per_msg = 0;

  /// Encoded bytes of committed entries handed out and not yet acknowledged as applied; at least
  /// one entry is. 0: as max_size_per_msg.
  uint64_t max_committed_size_per_ready = 0;

  /// Payload bytes of a leader's uncommitted entries above which proposals are dropped; when
  /// nothing is uncommitted one of any size passes. 0: no limit.
  uint64_t max_uncommitted_entries_size = 0;

  /// Append messages under way to one follower without an answer, > 0.
  uint64_t max_inflight_msgs = 0;

  /// The same in payload bytes; the message that crosses it still goes. 0: no limit; else at least
  /// max_size_per_msg.
  uint64_t max_inflight_bytes = 0;

  /// A leader that has not heard from a quorum for a base election timeout steps down, and voters
  /// that hear from a leader refuse to elect another.
  bool check_quorum = false;

  /// A node asks whether it would be elected before it raises its term: a node that comes back
  /// does not disturb the group.
  bool pre_vote = false;

  /// kLeaseBased needs check_quorum, and all nodes to have the same option and election_tick.
  ReadOnlyOption read_only_option = ReadOnlyOption::kSafe;

  /// For kLeaseBased, in [1, election_tick). A node that answers a heartbeat promises to elect nobody
  /// for election_tick of its ticks, over a restart as well; the leader counts on that of a quorum
  /// for less than election_tick - lease_margin of its own ticks since it sent the heartbeat. That is
  /// right as long as no node's ticks are longer than another's by more than (election_tick - 1) /
  /// (election_tick - lease_margin): with 10 and 2 by an eighth. A host that was stopped must make up
  /// for its missed ticks before it asks for a read.
  uint32_t lease_margin = 2;

  /// A follower drops proposals instead of passing them to the leader.
  bool disable_proposal_forwarding = false;

  /// The leader proposes every membership change, though one may be pending; for hosts that check
  /// themselves.
  bool disable_conf_change_validation = false;

  /// Vote requests wait until the term and the log they tell of are durable, as Raft demands: else a node that
  /// crashes may lead twice in one term, or be elected for a log it has lost. Off: they go at once, as
  /// etcd's do with asynchronous writes.
  bool hold_votes = true;

  /// A leader that is removed or becomes a learner steps down as it applies that change; otherwise
  /// it leads on until the host stops it.
  bool step_down_on_removal = false;

  /// A voter refuses a candidate of lower priority than its own, unless the candidate's log is longer. It
  /// only prefers: where nobody of higher priority is up to date or alive, the others are elected.
  int64_t priority = 0;

  /// Vote requests and refusals tell how far their sender has committed. Who refuses a request, or hears
  /// of it in an answer, commits up to there as far as its log has that entry or earlier ones of its term.
  /// So a group whose only up-to-date voter waits for a membership change to be applied gets on.
  bool commit_by_vote = false;

  /// A leader does not send appends only to tell of a new commit index; followers learn it with the next
  /// entries or heartbeat. Fewer messages, later applies. No effect while a membership change is pending.
  bool skip_bcast_commit = false;

  /// Entries for a follower join an append that waits in the next Ready for it, as long as both follow
  /// each other and fit into max_size_per_msg. Fewer and larger messages where a host proposes often
  /// between Readies.
  bool batch_append = false;

  /// Storage work is handed out as messages to kAppendThread and kApplyThread, see ready.h.
  bool async_storage_writes = false;

  /// Readies are acknowledged in parts (written, durable, applied), see ready.h. Not with
  /// async_storage_writes.
  bool light_ready = false;

  /// A leader, with light_ready or async_storage_writes, is handed committed entries to apply up to this
  /// many beyond what it has made durable: a quorum of the others has them. Its state machine may then be
  /// ahead of its log over a restart, and `applied` beyond it; the entries come again from the next leader
  /// and are not handed out again. At a start it bounds how far `applied` may be
  /// beyond the log. 0: only what is durable here is applied.
  uint64_t max_apply_unpersisted_log_limit = 0;

  /// Null: no log. Outlives the node.
  Logger* logger = nullptr;

  /// Null: abort.
  FatalHook fatal;
};

/// The bounds of the random election timeout, defaults filled in: at least the first, less than the second.
std::pair<uint32_t, uint32_t> ElectionRange(const Config& config);

/// Checks the options by themselves. Error kInvalidConfig; its text names the first bad option.
Result<void> Validate(const Config& config);

}  // namespace raft

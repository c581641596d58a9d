#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pd/fsm/command.h"
#include "pd/fsm/meta_state.h"
#include "pd/replication/transport.h"
#include "pd/result.h"
#include "pd/runtime/clock.h"
#include "pd/storage/database.h"
#include "raft/types.h"

namespace pd {

/// Timings, sizes and bounds of the group.
struct GroupOptions {
  raft::NodeId id = 0;
  uint64_t group_id = 0;  // Messages of another group are dropped. The same on all members.

  Millis tick{10};
  uint32_t heartbeat_ticks = 5;
  uint32_t election_ticks = 40;  // Base election timeout (random ones are up to twice that).
  Millis drift{40};              // Cut off the lease: clock drift and one tick's rounding.
  Millis slow_disk{400};         // A leader whose batch takes longer to write steps down.

  size_t proposals_max = 8192;             // Waiting proposals; then kQueueFull.
  size_t proposal_bytes_max = 64U << 20U;  // Their bytes; then kQueueFull.
  size_t inbox_max = 8192;                 // Waiting messages from peers; then they are dropped.
  size_t inbox_bytes_max = 128U << 20U;
  size_t command_bytes_max = 32U << 20U;  // A larger command is kInvalidArgument.
  size_t log_bytes_soft =
      32U << 20U;  // Beyond this the log is cut to the slowest healthy follower.
  size_t log_bytes_hard = 256U << 20U;  // Beyond this it is cut whoever lags.
  uint64_t log_entries_soft = 50'000;
  uint64_t log_entries_kept = 1'000;  // Always kept behind the applied index, for brief absences.
  size_t snapshot_chunk_bytes = 256U << 10U;
  uint32_t snapshot_window = 8;     // Chunks under way to one peer.
  Millis snapshot_stalled{10'000};  // Without progress for so long a transfer is given up.
};

/// Who leads, as this member sees it at one moment.
struct LeaderStatus {
  raft::NodeId leader_id = 0;  // 0: unknown.
  raft::Term term = 0;
  bool is_leader = false;  // This member is the Raft leader.
  bool ready = false;      // ... and has applied the first entry of its term.
  Nanos lease_end{0};      // Of Clock::Monotonic(); 0 without a lease.
  raft::LogIndex applied = 0;
  raft::LogIndex committed = 0;
};

/// How the disk and the log are doing; sums since start.
struct GroupStats {
  uint64_t proposals = 0;
  uint64_t proposals_failed = 0;
  uint64_t batches_written = 0;
  uint64_t batches_synced = 0;
  uint64_t entries_appended = 0;
  uint64_t entries_applied = 0;
  Nanos sync_total{0};
  Nanos sync_max{0};
  uint64_t messages_in = 0;
  uint64_t messages_dropped = 0;
  uint64_t snapshots_sent = 0;
  uint64_t snapshot_bytes_sent = 0;  // Also of those that were given up.
  uint64_t snapshots_installed = 0;
  uint64_t leader_changes = 0;
  uint64_t log_entries = 0;
  uint64_t log_bytes = 0;
};

/// Told what happens, on the raft thread, in order. Must not block, and must not wait for a
/// proposal (proposing with a callback is fine).
class GroupListener {
 public:
  virtual ~GroupListener() = default;

  /// This member leads and has applied the first entry of `term`: leader services may start.
  virtual void OnLeaderStart(raft::Term term) { static_cast<void>(term); }
  /// Always after an OnLeaderStart of the same term, before any of a later one.
  virtual void OnLeaderStop(raft::Term term) { static_cast<void>(term); }
  /// Another member leads now, or none (0). Also told of this member itself.
  virtual void OnLeaderChange(raft::NodeId leader, raft::Term term) {
    static_cast<void>(leader);
    static_cast<void>(term);
  }
  /// Entries up to `index` are applied and readable in the database. On every member, for every
  /// batch that changed something. Callbacks of these proposals run after it.
  virtual void OnApplied(raft::LogIndex index, const AppliedChanges& changes) {
    static_cast<void>(index);
    static_cast<void>(changes);
  }
  /// The whole state was replaced by a snapshot: drop every copy and read it again.
  virtual void OnStateReplaced(raft::LogIndex index) { static_cast<void>(index); }
  /// This member was removed from the group, as it has applied itself or as a peer says; it does nothing any more. Told
  /// once, soon after each start.
  virtual void OnRemoved() {}
};

/// One member of the Raft group: the raft thread with its Ready loop, the log and the state in the
/// database, the lease, proposals, membership, snapshots. Thread-safe. Owned by PdServer; stopped
/// before the database and transport go.
///
/// The lease (lease.h): it ends after the send time of the last round that a quorum acknowledged, by what voters
/// promise less the drift bound. Take the value first, check LeaseValid() after, then answer. A leader gives its lease
/// up before it asks another to take over, and does not take it again in that term.
class RaftGroup {
 public:
  /// Called on the raft thread when the disk or the log is broken: must not return. Empty: a line in the log, and the
  /// process ends.
  using FatalHook = std::function<void(const std::string& text)>;
  /// Runs once on the raft thread, or in the call when the queue is full. Errors: kNotLeader
  /// (nothing was done), kTimeout (lost the lead: it may still be done), kQueueFull,
  /// kInvalidArgument, and the command's own.
  using Done = std::function<void(Result<CommandResult>)>;

  /// Makes the first state of a new group: every first member calls it with the same list, ids
  /// included, on an empty database. A member that joins later does not call it: it learns
  /// everything from the leader. Errors: kAlreadyExists when the database holds a group,
  /// kInvalidArgument, kIo.
  static Result<void> Bootstrap(Database& database, const std::vector<Member>& members);
  /// Whether the database holds the state of a group, by Bootstrap or from a leader. Without it a new member still has
  /// to be added by the leader (AddMember) and then learns everything.
  static Result<bool> HasState(const Database& database);
  /// For a disaster, when a majority is lost for good: makes member `id` the only voter of the group in its database,
  /// which is not open. All its data stays; entries that it cannot know to be committed count as committed, because
  /// clients may have been told so. The others are removed. What only they had is lost, and each of them, be it a
  /// leader with a majority behind it, ends as soon as it and this member hear of each other. Nothing happens when it
  /// is alone already. Errors: kNotFound (the database holds no group with this member), kIo, kCorrupt.
  static Result<void> ForceAlone(Database& database, raft::NodeId id);
  /// The id that the database was first opened with, if it was.
  static Result<std::optional<raft::NodeId>> StoredId(const Database& database);

  /// Reads the state; starts nothing. Errors: kIo, kCorrupt, kInvalidArgument (options; a database of another id).
  static Result<std::unique_ptr<RaftGroup>> Open(const GroupOptions& options, Database& database,
                                                 Transport& transport, const Clock& clock,
                                                 FatalHook fatal = nullptr);
  virtual ~RaftGroup() = default;

  /// Before Start; listeners are told in the order they were added and must outlive the group.
  virtual void AddListener(GroupListener& listener) = 0;
  /// Starts the raft thread.
  virtual void Start() = 0;
  /// Joins it. Waiting proposals fail with kTimeout. Afterwards proposals fail with kNotStarted.
  virtual void Stop() = 0;

  /// Proposes here (never forwarded). With `fence` the command is appended in that term only, else
  /// kNotLeader: what a leader's service decided in one term is never done in a later one.
  virtual void Propose(Command command, raft::Term fence, Done done) = 0;
  void Propose(Command command, Done done) { Propose(std::move(command), 0, std::move(done)); }
  /// Blocks until applied here. kTimeout also when `timeout` passed. Not on the raft thread, where it would wait for
  /// itself: asserted, here and in the other calls that block.
  Result<CommandResult> ProposeAndWait(Command command, Millis timeout, raft::Term fence = 0);

  [[nodiscard]] virtual LeaderStatus status() const = 0;
  /// Leader, ready, and the lease holds now. Cheap: two atomic reads and the clock.
  [[nodiscard]] virtual bool LeaseValid() const = 0;
  [[nodiscard]] virtual GroupStats stats() const = 0;

  /// The members as applied here, by id.
  [[nodiscard]] virtual std::vector<Member> members() const = 0;

  /// Blocks until `target` leads (0: any voter that is up to date) or `timeout` passed (then the
  /// old leader goes on, after stepping down if the other was already asked). Errors: kNotLeader,
  /// kNotFound, kTimeout, kUnavailable.
  virtual Result<void> TransferLeadership(raft::NodeId target, Millis timeout) = 0;

  /// Whether `target` (0: any voter) could take the lead now: it answers and lacks no more than a
  /// thousand entries of the log. Blocks for a turn of
  /// the raft thread, at most `timeout`. Errors: kNotLeader, kNotFound, kUnavailable, kTimeout.
  virtual Result<void> CheckSuccessor(raft::NodeId target, Millis timeout) = 0;

  /// One member at a time; each blocks until the change is applied here. Errors: kNotLeader,
  /// kAlreadyExists, kNotFound, kTimeout, kUnavailable (another change is under way, or the change
  /// would lose the quorum).
  virtual Result<void> AddMember(const Member& member,
                                 Millis timeout) = 0;  // Voter or learner, by is_learner.
  virtual Result<void> PromoteMember(raft::NodeId id, Millis timeout) = 0;
  virtual Result<void> RemoveMember(raft::NodeId id, Millis timeout) = 0;

  /// A message from a peer, of either kind of sending. Hostile bytes are an error and change
  /// nothing. Errors: kCorrupt, kInvalidArgument (another group or addressee), kQueueFull; kNotFound: its sender was
  /// removed from the group, and must be told so.
  virtual Result<void> Receive(std::string bytes) = 0;
  /// The transport lost the peer, or gave up a message to it.
  virtual void ReportUnreachable(raft::NodeId id) = 0;
};

}  // namespace pd

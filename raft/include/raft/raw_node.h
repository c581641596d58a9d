#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "raft/conf_change.h"
#include "raft/config.h"
#include "raft/ready.h"
#include "raft/result.h"
#include "raft/status.h"
#include "raft/storage.h"
#include "raft/types.h"

namespace raft {

class Core;

enum class SnapshotStatus : uint8_t { kFinish, kFailure };

/// A member given to Bootstrap.
struct Peer {
  NodeId id = kNoNode;
  Payload context;  ///< Comes back as the context of its membership entry.
};

/// The failure domain of a member, for group commit. 0: in none.
struct CommitGroup {
  NodeId member = kNoNode;
  uint64_t group = 0;
};

/// One member of one Raft group. It does no I/O and has no clock: the host calls Tick at a fixed
/// interval, Step with what other nodes sent, and carries out each Ready (the contract is in
/// ready.h):
///
///     node->Tick();  node->Step(message);  node->Propose(data);
///     while (node->HasReady()) {
///       Ready& ready = node->GetReady();
///       ... write, send, apply ...
///       node->Advance();
///     }
///
/// Deterministic: the same calls, storage and random numbers give the same result. Not thread-safe.
/// Bad input is an error or is ignored; a broken promise of the host goes to Config::fatal.
class RawNode {
 public:
  /// Restores a node from its storage, as a follower. Errors: kInvalidConfig, kInvalidConfChange (a
  /// stored membership that makes no sense), and what the storage says.
  static Result<std::unique_ptr<RawNode>> Create(Config config);

  ~RawNode();
  RawNode(const RawNode&) = delete;
  RawNode& operator=(const RawNode&) = delete;

  /// Starts a new group on an empty storage: every founding member is given the same peers. They
  /// are added by entries already committed at term 1. Errors: kInvalidBootstrap.
  Result<void> Bootstrap(std::span<const Peer> peers);

  /// A tick of the host's clock has passed.
  void Tick();

  /// As Tick, for a group that its host lets rest: nothing is sent and no election begins, but time
  /// passes, so that promises and leases end. All members of the group rest together; any message, Tick
  /// or Ping wakes them.
  void TickQuiesced();

  /// A leader sends its heartbeats now.
  void Ping();

  /// Starts an election now. No effect on a leader or on a node that may not be elected.
  Result<void> Campaign();

  /// Appends `data` to the log, if this node leads; a follower passes it on to its leader. Success
  /// means on its way, not committed: it shows up in committed_entries, or never.
  /// Errors: kProposalDropped.
  Result<void> Propose(Payload data);

  /// The same for several entries at once, which travel together and are taken or dropped together.
  /// `data` must not be empty.
  Result<void> ProposeBatch(std::span<const Payload> data);

  /// Proposes a membership change. One that cannot be started now (another is not yet applied) goes
  /// into the log as an empty entry, without an error. Errors: kProposalDropped; kInvalidConfChange if
  /// it names a storage thread.
  Result<void> ProposeConfChange(const ConfChange& change);
  Result<void> ProposeConfChange(const ConfChangeV2& change);

  /// Switches to the membership of a committed change; call it for every membership entry as it is
  /// applied, on every node. Returns the membership to save with the applied index.
  /// Errors: kInvalidConfChange, and the membership stays.
  Result<ConfState> ApplyConfChange(const ConfChange& change);
  Result<ConfState> ApplyConfChange(const ConfChangeV2& change);

  /// Handles a message from another node or from a storage thread. A message that has no effect is
  /// success. Errors: kStepLocalMessage, kPeerNotFound, kInvalidMessage; kLogLost, see there; for a
  /// forwarded proposal those of Propose and ProposeConfChange, and kDecode.
  Result<void> Step(Message message);

  /// True if GetReady would give something to do.
  bool HasReady() const;

  /// What is to be done now. The Ready belongs to the node and its memory is used again: it is
  /// valid until Advance, AdvanceAppend or AdvanceAppendAsync (asynchronous mode: until the next
  /// GetReady); the host may move parts out of it.
  Ready& GetReady();

  /// The last Ready has been carried out. Not with asynchronous writes.
  void Advance();

  // With Config::light_ready only, see ready.h.

  /// The last Ready, and all before it, are durable. What is given is valid until the next call of this or
  /// GetReady; the host may move parts out of it.
  LightReady& AdvanceAppend();

  /// The last Ready is written, but not durable.
  void AdvanceAppendAsync();

  /// The Ready of this number, told by AdvanceAppendAsync, and all before it are durable.
  void OnPersistReady(uint64_t number);

  /// All that was handed out has been applied.
  void AdvanceApply();

  /// What was handed out has been applied up to `index`.
  void AdvanceApplyTo(LogIndex index);

  BasicStatus GetBasicStatus() const;
  Status GetStatus() const;

  /// Shows the progress of every member by id, without making a Status. None unless this node
  /// leads.
  void VisitProgress(const std::function<void(const ProgressStatus&)>& visit) const;

  /// The last message to `id` could not be delivered.
  void ReportUnreachable(NodeId id);

  /// How sending a snapshot to `id` ended. Without the call it gets no appends for ever.
  void ReportSnapshot(NodeId id, SnapshotStatus status);

  /// Hands the leadership to a voter; a follower asks its leader. Until it is done, or a base
  /// election timeout has passed, proposals are dropped.
  void TransferLeader(NodeId transferee);

  /// A follower forgets its leader, so that it grants votes without waiting for its timeout.
  void ForgetLeader();

  /// A follower whose state machine is damaged asks its leader for a snapshot that covers its log: at the
  /// index of its last entry or later, perhaps one that it has applied and stored already. Asks again by
  /// itself, also a new leader, until one comes or this node campaigns.
  /// Errors: kRequestSnapshotDropped (this node leads or knows no leader; nothing of its term has come yet;
  /// one is wanted or being installed already).
  Result<void> RequestSnapshot();

  /// Entries that Storage::PrepareEntries had to fetch can be read now: goes on with that append, if it
  /// is still to be sent.
  void OnEntriesFetched(const FetchContext& context);

  /// Asks for a linearizable read: a ReadState with this context comes in a later Ready. It may get
  /// lost (no leader, a change of leader): ask again after a time.
  void ReadIndex(Payload context);

  // Group commit, for groups that span two sites: an entry is committed once a majority has it and two
  // commit groups do. If all voters are in one group the majority decides alone; if some are in none, and
  // no second group is found, only what all voters have is committed. A setting of the leader, in memory
  // only: a host gives it again after a restart or a snapshot.

  void EnableGroupCommit(bool on);

  /// Strangers are ignored; who is not named keeps its group.
  void AssignCommitGroups(std::span<const CommitGroup> groups);
  void ClearCommitGroups();

  /// True if all that is committed is in two groups. None unless this node leads and has applied an entry
  /// of its term.
  std::optional<bool> IsCommittedByGroups() const;

  // Options that may change while the node runs; Config says what each means.
  void SetPriority(int64_t priority);
  void SetSkipBcastCommit(bool skip);
  void SetBatchAppend(bool batch);
  void SetMaxCommittedSizePerReady(uint64_t bytes);
  void SetMaxApplyUnpersistedLogLimit(uint64_t entries);

  /// Errors: kInvalidConfig, when another option needs it on.
  Result<void> SetCheckQuorum(bool check);

  /// Config::max_inflight_msgs for one member, until it is removed, a snapshot comes in or this node
  /// starts again. More room is used at the member's next answer. 0 stops appends to it, except to find
  /// where the logs meet; appends under way are not taken back. Errors: kPeerNotFound.
  Result<void> SetMaxInflightMsgs(NodeId member, uint64_t count);

  /// Ticks after which this node campaigns, until its role changes next; for tests.
  void SetRandomizedElectionTimeout(uint32_t ticks);

 private:
  explicit RawNode(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace raft

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "raft/config.h"
#include "raft/raw_node.h"
#include "raft/src/journal.h"
#include "raft/src/log.h"
#include "raft/src/read_queue.h"
#include "raft/src/tracker/tracker.h"

namespace raft {

/// The state machine of one node. Everything it decides leaves through a Ready.
///
/// Its parts are in files by what they do: core.cc (life, roles, time, sending), core_step.cc (what
/// is done with a message), core_election.cc, core_leader.cc and core_replication.cc (the leader's
/// side), core_follower.cc, core_reads.cc, core_membership.cc, core_ready.cc.
class Core {
 public:
  /// Checks the configuration and restores what the storage holds.
  static Result<std::unique_ptr<Core>> Create(Config config);

  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // core.cc
  void Tick();
  void TickQuiesced();
  void Ping();
  Result<void> Bootstrap(std::span<const Peer> peers);
  void SetRandomizedElectionTimeout(uint32_t ticks) { randomized_election_timeout_ = ticks; }
  BasicStatus basic_status() const;
  std::string DescribeState() const;  // One line.
  const Tracker& tracker() const { return tracker_; }
  NodeId id() const { return config_.id; }
  bool leads() const { return role_ == Role::kLeader; }
  bool HasMember(NodeId node) const { return tracker_.Find(node) != nullptr; }

  void SetPriority(int64_t priority) { config_.priority = priority; }
  void SetSkipBcastCommit(bool skip) { config_.skip_bcast_commit = skip; }
  void SetBatchAppend(bool batch) {
    config_.batch_append = batch;
    queued_appends_.clear();
  }
  Result<void> SetCheckQuorum(bool check);
  void SetMaxCommittedSizePerReady(uint64_t bytes);
  void SetMaxApplyUnpersistedLogLimit(uint64_t entries);
  Result<void> SetMaxInflightMsgs(NodeId member, uint64_t count);

  // core_step.cc
  /// Checks a message that did not come from this library, as far as it can be judged by itself.
  /// Errors: kInvalidMessage, kStepLocalMessage, kPeerNotFound.
  Result<void> CheckReceived(const Message& message) const;
  /// Handles a message; its parts may be moved away.
  Result<void> Step(Message& message);
  Result<void> Propose(EntryType type, Payload data);
  Result<void> ProposeBatch(std::span<const Payload> data);

  // core_replication.cc
  void OnEntriesFetched(const FetchContext& context);
  void EnableGroupCommit(bool on);
  void AssignCommitGroups(std::span<const CommitGroup> groups);
  void ClearCommitGroups();
  std::optional<bool> IsCommittedByGroups() const;

  // core_follower.cc
  Result<void> RequestSnapshot();

  // core_membership.cc
  Result<ConfState> ApplyConfChange(const ConfChangeV2& change);

  // core_ready.cc
  bool HasReady() const;
  Ready& GetReady();
  void Advance();
  LightReady& AdvanceAppend();
  void AdvanceAppendAsync();
  void OnPersistReady(uint64_t number);
  void AdvanceApply();
  void AdvanceApplyTo(LogIndex index);

 private:
  enum class Campaign : uint8_t { kPreElection, kElection, kTransfer };
  enum class IfEmpty : uint8_t { kSend, kSkip };

  explicit Core(Config config);
  Result<void> Restore();
  void LoadHardState(const HardState& state);

  // core.cc: roles and time.
  void Reset(Term term);
  void BecomeFollower(Term term, NodeId leader);
  void BecomeCandidate();
  void BecomePreCandidate();
  void BecomeLeader();
  void TickElection();
  void TickLeader();
  bool Promotable() const;
  void DrawElectionTimeout();
  SoftState soft_state() const { return {leader_, role_}; }
  HardState hard_state() const { return {term_, vote_, log_.committed()}; }

  // core.cc: sending.
  Message Make(MessageType type, NodeId to) const;
  void Send(Message message);
  bool PromisesWhatMustLast(MessageType type) const;
  std::vector<Entry> TakeBuffer();
  void GiveBack(std::vector<Entry>&& buffer);
  std::vector<Message> TakeMessages();
  void GiveBack(std::vector<Message>&& messages);

  // core_step.cc
  enum class Verdict : uint8_t { kGoOn, kDone };
  Result<void> CheckStorageResponse(const Message& message) const;
  Verdict OnHigherTerm(const Message& message);
  Verdict OnLowerTerm(const Message& message);
  void OnStorageAppendResp(const Message& message);
  void OnStorageApplyResp(Message& message);
  Result<void> StepByRole(Message& message);
  Result<void> Propose(std::span<Entry> entries);

  // core_election.cc
  void Hup(Campaign campaign);
  bool HasUnappliedConfChange();
  void StartCampaign(Campaign campaign);
  void RequestVote(NodeId voter, Campaign campaign, Term term);
  void OnVoteRequest(const Message& message);
  Result<void> StepCandidate(Message& message);
  void OnVoteResponse(const Message& message);
  void TellCommit(Message& message) const;
  void CommitByVote(const Message& message);

  // core_leader.cc
  Result<void> StepLeader(Message& message);
  void StepLeaderAboutMember(Message& message, Progress& progress);
  Result<void> OnProposal(std::span<Entry> entries);
  Result<void> CheckConfChanges(std::span<Entry> entries);
  std::string RefusalOf(const ConfChangeV2& change) const;
  bool AppendOwn(std::span<Entry> entries);
  void AcknowledgeOwn(LogIndex index);
  bool CountUncommitted(std::span<const Entry> entries);
  void CheckQuorum();
  void OnSnapshotStatus(Progress& progress, bool failed);
  void OnTransferLeader(NodeId transferee, Progress& progress);
  void SendTimeoutNow(NodeId to);

  // core_replication.cc
  void BroadcastAppend();
  void BroadcastHeartbeat();
  void SendAppend(Progress& progress) { MaybeSendAppend(progress, IfEmpty::kSend); }
  bool AwaitsSnapshot(const Progress& progress) const;
  bool NeedsWhoAwaitsSnapshot(const Progress& progress) const;
  bool MaybeSendAppend(Progress& progress, IfEmpty if_empty);
  void QueueAppend(NodeId to, EntryId previous, std::vector<Entry> entries);
  enum class Joined : uint8_t { kNothing, kEmpty, kEntries };  // What waited before.
  Joined JoinQueuedAppend(NodeId to, LogIndex previous, std::vector<Entry>& entries);
  bool MaybeSendSnapshot(Progress& progress);
  bool AnnouncesCommit() const {
    return !config_.skip_bcast_commit || pending_conf_index_ > log_.applied();
  }
  bool MaybeCommit();
  void CommitByOtherRule();
  void OnAppendResponse(const Message& message, Progress& progress);
  void OnAppendRefused(const Message& message, Progress& progress);
  void OnSnapshotWanted(LogIndex index, Progress& progress);
  void OnAppendAccepted(const Message& message, Progress& progress);
  void SendAppendsAsFarAsTheyGo(Progress& progress);
  void OnHeartbeatResponse(const Message& message, Progress& progress);

  // core_follower.cc
  Result<void> StepFollower(Message& message);
  Result<void> ForwardProposal(Message& message);
  void SendToLeader(Message& message);
  void ForwardToLeader(Message& message, const char* what);
  void OnForgetLeader();
  void FollowSender(const Message& message);
  void AskForSnapshot(LogIndex at_least);
  void OnAppend(const Message& message);
  Result<void> OnHeartbeat(const Message& message);
  Result<void> OnSnapshot(const Message& message);
  Result<bool> RestoreSnapshot(const SnapshotPtr& snapshot);

  // core_reads.cc
  Result<void> OnReadIndex(Message& message);
  void OnReadIndexResponse(Message& message);
  void StartRead(ReadQueue::Request request);
  void AnswerRead(ReadQueue::Request request);
  void ReleasePostponedReads();
  void ReleaseConfirmedReads();
  bool CommittedInOwnTerm() const;
  bool uses_lease() const { return config_.read_only_option == ReadOnlyOption::kLeaseBased; }
  Payload HeartbeatContext() const;
  void OnHeartbeatContext(NodeId from, std::string_view context);
  bool HoldsLease() const;
  bool KeepsPromise(const Message& message) const;

  // core_membership.cc
  void SwitchTo(ConfState membership, ProgressMap progress);
  void AppliedTo(LogIndex index, uint64_t bytes);
  void AppliedSnapshot(const SnapshotPtr& snapshot);
  void LeaveJointByItself();

  // core_ready.cc
  // A leader's acknowledgements to itself, one for each of these indexes.
  struct OwnAcks {
    Term term = 0;
    LogIndex first = 0;
    LogIndex last = 0;
    bool Extends(Term of, LogIndex index) const { return term == of && last + 1 == index; }
  };
  // What counts once a Ready is durable.
  struct Write {
    uint64_t ready = 0;
    std::vector<OwnAcks> own_acks;
    std::vector<Message> to_self;
    bool append_response = false;
    Message append;
  };
  Visibility visibility() const {
    return config_.async_storage_writes || config_.light_ready ? Visibility::kStableOnly
                                                               : Visibility::kWithUnstable;
  }
  bool HardStateChanged() const;
  void FillReady();
  void MoveMessages();
  std::vector<Entry> CopyOf(const std::vector<Entry>& entries);
  void MakeStorageMessages();
  void AcceptReady();
  void AcceptCommitted(const std::vector<Entry>& committed);
  bool NeedsAppendResponse() const;
  Message MakeAppendResponse() const;
  void RecycleReady();
  void RequireLightReady(const char* call) const;
  void OnDurable(Write& write);
  void FillLightReady();
  void AppliedBatches(size_t count);

  Config config_;
  Journal journal_;
  Log log_;
  Tracker tracker_;
  ReadQueue reads_;
  std::vector<ReadQueue::Request> postponed_reads_;  // Until an entry of the own term is committed.

  Role role_ = Role::kFollower;
  Term term_ = 0;
  NodeId vote_ = kNoNode;
  NodeId leader_ = kNoNode;
  NodeId lead_transferee_ = kNoNode;

  // Only when it has been applied may the next membership change be proposed: at most one is in the
  // log and not applied. An upper bound: a new leader does not know, and sets it to its last index.
  LogIndex pending_conf_index_ = 0;
  // While a received snapshot is not applied: the membership that applied entries have led to.
  std::optional<ConfState> membership_before_snapshot_;
  uint64_t uncommitted_bytes_ = 0;
  bool snapshot_wanted_ = false;  // See RequestSnapshot.

  // Ticks since: the leader was heard (follower), the campaign began (candidate), the quorum was
  // checked (leader).
  uint32_t election_elapsed_ = 0;
  uint32_t heartbeat_elapsed_ = 0;
  uint32_t randomized_election_timeout_ = 0;

  // Lease reads. The leader's ticks since it was elected; for each member the number, from 1 on, of the
  // tick at which the newest heartbeat was sent that it has answered.
  uint64_t lead_ticks_ = 0;
  std::vector<std::pair<NodeId, uint64_t>> lease_answers_;
  // Somebody was told to take over, and voters will ignore the promise.
  bool lease_given_up_ = false;
  uint32_t promised_ticks_ = 0;  // For so long this node elects nobody.

  std::vector<Message> messages_;  // May go at once.
  struct QueuedAppend {
    NodeId to = kNoNode;
    size_t at = 0;  // In messages_.
    uint64_t bytes = 0;
  };
  std::vector<QueuedAppend> queued_appends_;    // With batch_append: those that entries may join.
  std::vector<Message> messages_after_append_;  // Promise something that must be durable first.
  std::vector<OwnAcks> own_acks_;               // Among these: the leader's, in synchronous mode.
  std::vector<ReadState> read_states_;

  // Ready.
  Ready ready_;
  SoftState previous_soft_state_;
  HardState previous_hard_state_;
  bool awaiting_advance_ = false;
  uint64_t ready_number_ = 0;
  Write write_;               // Of the last Ready.
  std::deque<Write> writes_;  // Written, not known to be durable; oldest first.
  // What was handed out to apply, oldest first.
  struct Batch {
    LogIndex last = 0;
    uint64_t bytes = 0;
    uint64_t payload_bytes = 0;
  };
  std::vector<Batch> applying_;
  LightReady light_ready_;
  // Memory that is used again.
  std::vector<std::vector<Entry>> buffers_;
  std::vector<std::vector<Message>> message_buffers_;
};

/// The quota of committed entries under way, its default filled in.
inline uint64_t ApplyingBytesMax(const Config& config) {
  return config.max_committed_size_per_ready != 0 ? config.max_committed_size_per_ready
                                                  : config.max_size_per_msg;
}

/// No group gets there; but a term or an index near the end of the numbers would leave no room to
/// count on from.
inline constexpr uint64_t kCounterMax = UINT64_MAX / 2;

/// Marks a vote request of a node that was told to take over: voters ignore their lease.
inline constexpr std::string_view kCampaignTransfer = "CampaignTransfer";

}  // namespace raft

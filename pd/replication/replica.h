#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pd/codec/envelope_codec.h"
#include "pd/fsm/meta_state.h"
#include "pd/replication/lease.h"
#include "pd/replication/raft_group.h"
#include "pd/replication/snapshot_receiver.h"
#include "pd/replication/snapshot_sender.h"
#include "pd/replication/transport.h"
#include "pd/runtime/mutex.h"
#include "pd/storage/raft_log.h"
#include "raft/raw_node.h"

namespace pd {

/// Key of kRaftState: the member the database belongs to.
inline constexpr std::string_view kOwnerKey = "owner";

/// One member of the group without its thread: the library, the log, the state, and what must happen in which order.
/// RaftGroup runs it on the raft thread; simulations run several on one thread. All calls on one thread, but for
/// lease(), status(), members(), IsMember(), WasRemoved() and stats().
///
/// One round of work (HandleReady): send what needs no disk; write entries, hard state, snapshot and the applied state
/// of the committed entries in one batch, with one fsync if anything must last; send the rest; tell listeners; answer
/// proposals. The applied state needs no fsync of its own: the log brings it again.
class Replica {
 public:
  struct Proposal {
    std::string bytes;  // codec::EncodeCommand with proposer() and id.
    uint64_t id = 0;    // Unique in this run.
    raft::Term fence = 0;
    RaftGroup::Done done;
  };
  using Finished = std::function<void(Result<void>)>;
  struct MembershipChange {
    raft::ConfChangeType type = raft::ConfChangeType::kAddNode;
    Member member;
    Finished finished;  // Once, when the change is applied here or cannot be any more.
  };

  /// What a replica works with; all of them outlive it.
  struct Deps {
    Database& database;
    Transport& transport;
    const Clock& clock;
    RaftGroup::FatalHook fatal;  // Null: the process ends.
    uint64_t seed = 0;           // Randomizes election timeouts and names this run.
  };

  /// See RaftGroup::Open.
  static Result<std::unique_ptr<Replica>> Open(const GroupOptions& options, Deps deps);
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  void AddListener(GroupListener& listener) { listeners_.push_back(&listener); }
  /// Once, before anything below: tells the transport the peers; the only voter of a group starts its election.
  void Start();

  // What happens to it. HandleReadies() must follow before the next Tick.
  void Tick();
  void Step(codec::Envelope envelope);
  void Propose(std::vector<Proposal> proposals);
  void Change(MembershipChange change);
  void Transfer(raft::NodeId target, Nanos deadline, Finished finished);
  /// Why `target` (0: any voter) cannot take the lead over now, if so. Errors as RaftGroup::CheckSuccessor.
  [[nodiscard]] Result<void> CheckSuccessor(raft::NodeId target) const;
  void ReportUnreachable(raft::NodeId id);

  /// Works until there is nothing left to do.
  void HandleReadies();
  /// Stops leading and fails whatever waits; nothing may follow.
  void Stop();

  /// Proposals appended and not yet applied, and their bytes.
  [[nodiscard]] size_t in_flight() const { return waiting_.size(); }
  [[nodiscard]] size_t in_flight_bytes() const { return waiting_bytes_; }
  [[nodiscard]] uint64_t proposer() const { return proposer_; }

  [[nodiscard]] const Lease& lease() const { return lease_; }
  [[nodiscard]] LeaderStatus status() const;
  [[nodiscard]] std::vector<Member> members() const;
  /// Of the members as applied here, without a copy of them.
  [[nodiscard]] bool IsMember(raft::NodeId id) const;
  /// A member of this id was removed once, as applied here.
  [[nodiscard]] bool WasRemoved(raft::NodeId id) const;
  [[nodiscard]] GroupStats stats() const;

 private:
  class LibraryLogger;
  /// What one batch did, to be told once it is written.
  struct Applied {
    raft::LogIndex index = 0;
    raft::Term term = 0;
    AppliedChanges changes;
    bool replaced = false;  // The whole state, by a snapshot.
    std::vector<std::pair<RaftGroup::Done, Result<CommandResult>>> results;
    std::vector<std::pair<Finished, Result<void>>> finished;
  };

  Replica(const GroupOptions& options, Deps deps);
  Result<void> Load(uint64_t seed);

  void RunDeferred();
  void FailProposals(const Error& error);
  void HandleReady();
  void FollowRole(const raft::SoftState& soft);
  void InstallSnapshot(const raft::Snapshot& snapshot, WriteBatch& batch);
  void Apply(const std::vector<raft::Entry>& entries, WriteBatch& batch, Applied& applied);
  void ApplyCommand(const raft::Entry& entry, WriteBatch& batch, Applied& applied);
  void ApplyMembership(const raft::Entry& entry, WriteBatch& batch, Applied& applied);
  void Write(const WriteBatch& batch, Durability durability);
  void Announce(Applied& applied);
  void AnnounceRole();
  void AnnounceStop();

  void Send(std::vector<raft::Message>& messages, size_t begin, size_t end);
  void SendTo(raft::NodeId to, std::vector<raft::Message> messages);
  void StepMessages(std::vector<raft::Message> messages);
  void StepChunk(raft::NodeId from, codec::SnapshotChunk chunk);
  void StepOne(raft::Message message);

  [[nodiscard]] bool IsSoleVoter() const;
  void StartLeaseRound();
  void TakeReadStates(const std::vector<raft::ReadState>& states);
  enum class Leaving : uint8_t { kHandOver, kSlowDisk };
  void LeaveLead(Leaving why);
  void ForceStepDown();
  [[nodiscard]] bool HasMostOfLog(const raft::ProgressStatus& progress) const;
  [[nodiscard]] raft::NodeId BestSuccessor() const;
  void CheckTransfer();
  [[nodiscard]] bool TransferGivenUp() const;
  void FinishTransfer(Result<void> result);
  void CompactLog();
  void ReloadMembers();
  void Publish();
  [[nodiscard]] Result<void> CheckChange(const MembershipChange& change) const;
  [[nodiscard]] Result<void> CheckAdd(const MembershipChange& change) const;
  [[nodiscard]] Result<void> CheckPromote(const Member& known) const;
  [[nodiscard]] Result<void> CheckRemove(raft::NodeId id) const;
  [[nodiscard]] std::vector<raft::NodeId> ActiveVoters() const;
  void NoteHeard(raft::NodeId from);
  [[nodiscard]] bool IsActive(const raft::ProgressStatus& progress) const;
  [[noreturn]] void Fatal(const std::string& text) const;

  const GroupOptions options_;
  Database& database_;
  Transport& transport_;
  const Clock& clock_;
  const RaftGroup::FatalHook fatal_;
  const uint64_t proposer_;
  std::vector<GroupListener*> listeners_;

  std::unique_ptr<LibraryLogger> logger_;
  std::unique_ptr<RaftLog> log_;
  std::optional<MetaState> state_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;
  Lease lease_;
  std::unique_ptr<raft::RawNode> node_;

  // Role.
  raft::NodeId leader_ = raft::kNoNode;
  raft::NodeId told_leader_ = raft::kNoNode;  // What listeners were told last.
  raft::Term told_leader_term_ = 0;
  raft::Term lead_term_ = 0;     // The term this member leads in; 0: it does not.
  bool serving_ = false;         // The first entry of lead_term_ is applied.
  raft::Term started_term_ = 0;  // OnLeaderStart was told for it; 0: stopped.
  bool lost_lead_ = false;       // Proposals of an earlier term are in doubt.
  bool removed_ = false;         // Applied, or told by a peer: takes part in nothing any more.
  bool told_removed_ = false;

  Nanos votes_from_{0};  // No vote is granted before; see Start().
  uint32_t ticks_since_round_ = 0;
  uint32_t ticks_to_compaction_ = 0;
  std::optional<Nanos> step_down_at_;  // The lead was offered to another: gone by then, or forced.

  std::vector<std::function<void()>> deferred_;  // Calls to the library that must wait for Advance.
  struct Waiting {
    RaftGroup::Done done;
    size_t bytes = 0;
  };
  std::map<uint64_t, Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  std::map<uint64_t, Finished> changing_;  // Membership changes by id, at most one.
  uint64_t next_change_ = 1;
  struct PendingTransfer {
    raft::NodeId target = raft::kNoNode;
    Nanos deadline{0};
    Finished finished;
  };
  std::optional<PendingTransfer> transfer_;
  std::map<raft::NodeId, Nanos> heard_;  // When each member was heard of last.

  mutable Mutex published_mutex_;
  LeaderStatus published_ PD_GUARDED_BY(published_mutex_);
  std::vector<Member> members_ PD_GUARDED_BY(published_mutex_);
  std::vector<raft::NodeId> removed_members_ PD_GUARDED_BY(published_mutex_);  // Ascending.
  GroupStats published_stats_ PD_GUARDED_BY(published_mutex_);
  GroupStats stats_;
};

}  // namespace pd

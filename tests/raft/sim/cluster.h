#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "raft/raw_node.h"
#include "tests/raft/storage_over.h"

namespace raft::sim {

/// A simulation found a broken promise; the text says which, and how to replay it.
struct Broken {
  std::string text;
};

/// What a run is mostly about.
enum class Focus : uint8_t {
  kAnything,
  kMembers,  ///< Halves of a joint change that do not hear each other, snapshots with another one.
  kReads,    ///< Reads at leaders that were deposed and do not know it.
  kOverwrites,  ///< Entries that are overwritten, and come back, before they are durable.
};

/// How a run goes, drawn from its seed.
struct Plan {
  uint64_t seed = 0;
  Focus focus = Focus::kAnything;
  uint64_t nodes = 5;     ///< 3 to 7.
  uint64_t founders = 3;  ///< The first voters; the other nodes stand by.
  /// Ticks come by clocks whose rates differ, within what leases allow; else at random, without any
  /// bound.
  bool clocks = false;
  bool lease_reads = false;  ///< Only with clocks.
  bool pre_vote = false;
  bool check_quorum = false;
  bool async_storage_writes = false;
  bool light_ready = false;   ///< Not with async_storage_writes.
  bool more_options = false;  ///< What TiKV's Raft has beyond etcd's.
  bool change_members = false;
  bool transfer = false;
  bool step_down_on_removal = false;
  uint32_t unusual_permille = 0;  ///< Of the steps: something unusual happens.
  uint32_t drop_percent = 0;
  uint32_t duplicate_percent = 0;
  uint32_t no_snapshot_percent = 0;  ///< How often a storage has no snapshot just now.
  uint32_t full_percent = 0;         ///< Of the unusual steps: a disk takes no writes for a while.
  uint32_t slow_percent = 0;         ///< Of the unusual steps: a disk is slow for a while.
  uint32_t shorten_percent = 0;      ///< Of the appends: they carry less than was sent.
  uint32_t schedule_percent = 0;     ///< Of the unusual steps: trouble by a schedule.
  uint32_t crash_percent = 0;        ///< Of the steps at which something unusual happens.
  uint64_t max_inflight_msgs = 4;
  uint64_t max_size_per_msg = 0;

  /// Without a focus the seed says that, too.
  static Plan FromSeed(uint64_t seed, std::optional<Focus> focus = std::nullopt);
  std::string Describe() const;
};

/// The simulated data: numbers.
Payload Encoded(uint64_t number);
uint64_t Decoded(const Payload& payload);

/// A log in memory that makes a snapshot of the newest state when it is asked for one.
class SimStorage final : public StorageOver {
 public:
  /// `newest` gives null when there is no snapshot just now, `prepare` false when entries must be fetched.
  SimStorage(FatalHook fatal, std::function<SnapshotPtr()> newest,
             std::function<bool(const FetchContext&)> prepare)
      : StorageOver(log_),
        log_(std::move(fatal)),
        newest_(std::move(newest)),
        prepare_(std::move(prepare)) {}

  Result<SnapshotPtr> GetSnapshot(LogIndex, NodeId) override {
    SnapshotPtr snapshot = newest_();
    if (snapshot != nullptr) return snapshot;
    return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
  }
  bool PrepareEntries(LogIndex, LogIndex, uint64_t, const FetchContext& context) override {
    return prepare_(context);
  }

 private:
  MemStorage log_;
  std::function<SnapshotPtr()> newest_;
  std::function<bool(const FetchContext&)> prepare_;
};

/// Some nodes with disks, and a network that loses, doubles, delays and reorders, on one thread from
/// one seed. After each step it checks what Raft promises (thesis figure 3.2):
///
/// - election safety: at most one leader a term, and one vote a term of each node, across crashes;
/// - leader completeness: what was applied anywhere before an election is in the new leader's log;
/// - log matching: an index and term in two logs name the same entry, and all before are the same;
/// - state machine safety: no two nodes apply different entries at an index, and none is left out;
/// - membership: what the entries up to an index lead to is the same on all nodes, and in force there;
/// - reads: a confirmed read index is not below what was applied anywhere when the read was asked.
///
/// A crash loses what was not written durably. The state machine is a running hash, lost with a crash
/// and rebuilt from the snapshot and the log.
///
/// Its parts are in files by what they do: cluster.cc (hosts, disks, network, and what goes wrong by
/// chance), cluster_options.cc (Readies in parts, and options), cluster_schedules.cc (what goes wrong on
/// purpose), cluster_checks.cc.
class Cluster {
 public:
  explicit Cluster(const Plan& plan);
  ~Cluster();

  /// One random event, or a schedule of many. Throws Broken.
  void Step();

  /// Ends all trouble and runs until every member has applied a last proposal and no joint change is
  /// left half done; then lets nobody's messages reach the leader, which with check_quorum must give
  /// way. Throws Broken.
  void Settle();

  uint64_t steps() const { return step_; }
  uint64_t applied_count() const { return applied_.size(); }
  uint64_t leaders_seen() const { return leaders_.size(); }
  uint64_t crashes() const { return crashes_; }
  uint64_t snapshots_restored() const { return snapshots_; }
  uint64_t reads_confirmed() const { return reads_confirmed_; }
  uint64_t told() const { return told_; }  ///< Nodes that Settle had to tell what is committed.

 private:
  /// What is on a node's disk.
  struct Disk {
    HardState hard_state;
    Snapshot snapshot;
    std::vector<Entry> entries;
  };

  struct Node {
    NodeId id = kNoNode;
    Disk durable;
    std::unique_ptr<SimStorage> storage;  // With what is written but not durable.
    std::unique_ptr<RawNode> raw;         // Null while it is down.
    std::deque<Message> append_work;
    std::deque<Message> apply_work;
    std::deque<Message> append_answers;  // For the node itself, in order.
    std::deque<Message> apply_answers;
    struct Part {
      uint64_t ready = 0;
      std::vector<Message> messages;  // That wait until it is durable.
    };
    std::deque<Part> parts;  // Written, not durable.
    std::deque<FetchContext> fetching;
    LogIndex applied = 0;
    uint64_t state = 0;
    ConfState members;
    Term term_seen = 0;
    LogIndex restored = 0;    // By its last snapshot.
    uint64_t tick_every = 1;  // Steps, by its clock.
    uint64_t next_tick = 0;
    uint64_t disk_full_until = 0;
    uint64_t disk_slow_until = 0;
    uint64_t apply_stuck_until = 0;    // With asynchronous writes, as the next.
    uint64_t sync_stuck_until = 0;     // In parts: what it has written is not durable.
    uint64_t answers_stuck_until = 0;  // What it has written it does not hear.
  };

  struct Applied {
    Term term = 0;
    uint64_t state = 0;
  };

  enum class Among : uint8_t { kAll, kMembers };
  using Condition = std::function<bool()>;

  /// Changes one after the other, which lead from some voters to others.
  struct Turn {
    std::vector<ConfChangeV2> changes;
    std::vector<NodeId> from;  // The voters.
    std::vector<NodeId> to;
    std::set<NodeId> side;  // Holds a quorum of `to`, and of `from` none if that can be.
  };

  uint64_t Random(uint64_t bound) { return rng_() % bound; }
  bool Percent(uint64_t percent) { return Random(100) < percent; }
  Node& AnyNode() { return nodes_[Random(nodes_.size())]; }
  Node* Leader();
  LogIndex AppliedAnywhere() const { return applied_.empty() ? 0 : applied_.rbegin()->first; }

  // cluster.cc
  void OrdinaryStep();
  void RunSomewhere(bool (*has_work)(const Node&), void (Cluster::*run)(Node&));
  void Start(Node& node);
  void Crash(Node& node);
  void MakeDurable(Node& node);
  void TickClocks();
  void Unusual();
  void IsolateLeader();
  void Cut(const std::function<bool(NodeId from, NodeId to)>& between);
  bool DiskBusy(const Node& node);
  void Split();
  void ChangeMembers(Node& node);
  void Compact(Node& node);
  void Propose(Node& node);
  void AskRead(Node& node);
  void RunReady(Node& node);
  void RunAppend(Node& node);
  void RunApply(Node& node);
  void RunAnswers(Node& node);
  void Write(Node& node, const HardState& state, const std::vector<Entry>& entries,
             const SnapshotPtr& snapshot);
  void Apply(Node& node, const std::vector<Entry>& entries);
  void ApplySnapshot(Node& node, const Snapshot& snapshot);
  void Post(Message message);
  void KeepOld(const Message& message);
  void RepeatOldMessages();
  void DeliverOne();
  void Deliver(Message message);
  void RunAll(Node& node);
  void Calm();
  void TellCommitted();
  void Round(Among among);
  bool Disturbed();
  bool AllHave(const ConfState& members, LogIndex index) const;
  SnapshotPtr NewestSnapshot(const Node& node) const;
  std::vector<Entry> StoredEntries(Node& node) const;

  // cluster_options.cc
  void RunInParts(Node& node, Ready& ready);
  void RunPart(Node& node);
  static bool HasParts(const Node& node) {
    return !node.parts.empty() || node.raw->GetBasicStatus().applied < node.applied;
  }
  void PostParts(Node& node, uint64_t up_to);
  void Fetched(Node& node);
  void UseOptions(Node& node);
  /// Of what it has written.
  static bool AppliedAhead(const Node& node) { return node.applied > node.storage->LastIndex(); }

  // cluster_schedules.cc
  void RunSchedule();
  bool RunUntil(const Condition& done, uint64_t steps_max);
  void RunFor(uint64_t steps);
  void Isolate(const std::set<NodeId>& side);
  bool Elect(Node& node, uint64_t steps_max);
  void Quarrel(uint64_t steps, const std::set<NodeId>& content);
  void UseLeaders();
  Node* HealedLeader();
  bool LeavesJoint(Node& leader);
  bool ProposeChange(Node& node, const ConfChangeV2& change);
  Turn DrawTurn(const Node& leader);
  std::vector<ConfChangeSingle> DrawChanges(Turn& turn, size_t count_max);
  void DrawSide(Turn& turn, NodeId leader);
  Node* ProposeTurn(const Turn& turn, Node& leader);
  void AwaitTurn(const Turn& turn, Node& leader);
  Node* ChangeHands(Node& leader);
  void SplitTurn();
  void SnapshotOverTurn();
  void ReadAtDeposed();
  void OverwriteTwice();
  void CrashUnsynced();
  void AcknowledgeLate(Node& follower, Term term);
  void LoseWhatIsApplied(Node& leader, Node& other);

  // cluster_checks.cc
  void Require(bool holds, const std::string& what) const;
  void CheckAll();
  void CheckNode(Node& node);
  void CheckVote(const Message& message);
  void CheckReads(const std::vector<ReadState>& reads);
  void CheckLogs();
  void CheckCompleteness(const Message& append);
  const ConfState& MembershipAt(LogIndex index) const;
  void CheckSameMembership(LogIndex index, const Node& node);
  void CheckMemberships();
  void CheckGivesWay(const Node& deaf);

  Plan plan_;
  std::mt19937_64 rng_;
  std::deque<Node> nodes_;
  std::vector<Message> network_;
  std::vector<Message> old_messages_;
  std::set<std::pair<NodeId, NodeId>> cut_;  // From, to.
  uint64_t step_ = 0;
  uint64_t proposals_ = 0;
  uint64_t reads_ = 0;
  uint64_t crashes_ = 0;
  uint64_t snapshots_ = 0;
  uint64_t reads_confirmed_ = 0;
  uint64_t told_ = 0;
  std::map<Term, NodeId> leaders_;
  std::map<Term, LogIndex> applied_before_;  // Anywhere, when its leader was first seen.
  std::map<std::pair<Term, NodeId>, NodeId> votes_;
  std::map<LogIndex, Applied> applied_;
  std::map<LogIndex, ConfState> memberships_;  // From this index on.
  std::map<uint64_t, LogIndex> asked_reads_;
};

}  // namespace raft::sim

#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "raft/src/quorum/quorum.h"
#include "raft/src/tracker/progress.h"
#include "raft/types.h"

namespace raft {

/// The progress of all members, by id ascending: the order in which messages are made.
using ProgressMap = std::vector<Progress>;

Progress* FindProgress(ProgressMap& progress, NodeId id);

/// Sets of ids are sorted vectors without doubles.
bool Contains(std::span<const NodeId> ids, NodeId id);
bool Insert(std::vector<NodeId>& ids, NodeId id);  ///< False if it was there.
bool Erase(std::vector<NodeId>& ids, NodeId id);   ///< False if it was not there.

/// The membership in force, each member's progress, and the votes of a running election.
///
/// Invariants: the lists of the membership are sorted; every id in them has a progress and every
/// progress an id in them (confchange/ keeps both).
class Tracker {
 public:
  Tracker(uint64_t inflight_max, uint64_t inflight_bytes_max)
      : inflight_prototype_(inflight_max, inflight_bytes_max) {}

  const ConfState& membership() const { return membership_; }
  ProgressMap& progress() { return progress_; }
  const ProgressMap& progress() const { return progress_; }
  const Inflights& inflight_prototype() const { return inflight_prototype_; }

  /// Switches to another membership.
  void Replace(ConfState membership, ProgressMap progress) {
    membership_ = std::move(membership);
    progress_ = std::move(progress);
  }

  Progress* Find(NodeId id) { return FindProgress(progress_, id); }
  const Progress* Find(NodeId id) const;

  bool joint() const { return !membership_.voters_outgoing.empty(); }
  bool IsVoter(NodeId id) const;

  /// True if `id` alone makes a quorum.
  bool IsOnlyVoter(NodeId id) const;

  /// Voters of both halves, ascending.
  std::vector<NodeId> Voters() const;

  /// The index that a quorum has in its log, jointly; with group commit, in two groups.
  LogIndex Committed() const;

  /// The same, and whether it is in two groups; see quorum.h.
  GroupCommit CommittedByGroups() const;

  void set_group_commit(bool on) { group_commit_ = on; }

  /// The number that a quorum reached, jointly; `reached` gives each voter's.
  template <class Reached>
  uint64_t QuorumOf(const Reached& reached) const {
    return std::min(HalfReached(membership_.voters, reached),
                    HalfReached(membership_.voters_outgoing, reached));
  }

  /// True if those heard of lately, the leader included, make a quorum, jointly.
  bool QuorumActive() const;

  void ResetVotes() { votes_.clear(); }
  void RecordVote(NodeId id, bool granted);  ///< The first answer of a node counts.

  struct Tally {
    size_t granted = 0;
    size_t rejected = 0;
    VoteResult result = VoteResult::kPending;
  };
  Tally CountVotes() const;

 private:
  // Groups are small: the usual half fits on the stack.
  static constexpr size_t kStackVoters = 7;

  template <class Reached>
  static uint64_t HalfReached(const std::vector<NodeId>& voters, const Reached& reached) {
    uint64_t on_stack[kStackVoters] = {};
    std::vector<uint64_t> on_heap;
    std::span<uint64_t> numbers(on_stack, std::min(voters.size(), kStackVoters));
    if (voters.size() > kStackVoters) {
      on_heap.resize(voters.size());
      numbers = on_heap;
    }
    for (size_t i = 0; i < voters.size(); ++i) numbers[i] = reached(voters[i]);
    return MajorityCommitted(numbers);
  }

  GroupCommit HalfByGroups(const std::vector<NodeId>& voters) const;
  std::optional<bool> VoteOf(NodeId id) const;
  template <class Said>
  VoteResult JointResult(const Said& said) const;

  ConfState membership_;
  ProgressMap progress_;
  Inflights inflight_prototype_;
  bool group_commit_ = false;
  std::vector<std::pair<NodeId, bool>> votes_;
};

}  // namespace raft

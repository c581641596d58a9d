#pragma once

#include <span>
#include <utility>

#include "raft/conf_change.h"
#include "raft/src/tracker/tracker.h"

namespace raft {

/// Works out what a membership change leads to. Nothing is touched: the result is a copy to switch
/// to, so that a refused change leaves no trace. The safety argument for the two kinds of change,
/// one voter at a time and joint, is in the Raft thesis, chapter 4.
class Changer {
 public:
  struct Outcome {
    ConfState membership;
    ProgressMap progress;
  };

  /// A member that is new gets `next` as its next index.
  Changer(const ConfState& membership, const ProgressMap& progress, Inflights inflight_prototype,
          LogIndex next)
      : outcome_{membership, progress}, inflights_(std::move(inflight_prototype)), next_(next) {}

  // Each gives the outcome once; errors: kInvalidConfChange.

  /// Any number of learners, but at most one voter, outside a joint configuration.
  Result<Outcome> Simple(std::span<const ConfChangeSingle> changes) &&;

  /// Into a joint configuration: decisions need both the voters as they are and as they will be.
  Result<Outcome> EnterJoint(bool auto_leave, std::span<const ConfChangeSingle> changes) &&;

  /// Out of it: only the new voters count.
  Result<Outcome> LeaveJoint() &&;

 private:
  bool joint() const { return !outcome_.membership.voters_outgoing.empty(); }

  Result<void> Apply(std::span<const ConfChangeSingle> changes);
  void MakeVoter(NodeId id);
  void MakeLearner(NodeId id);
  void Remove(NodeId id);
  void AddProgress(NodeId id, bool is_learner);
  void EraseProgress(NodeId id);
  void SetLearner(NodeId id, bool is_learner);

  Outcome outcome_;
  Inflights inflights_;
  LogIndex next_;
};

/// Checks that membership and progress fit together; the text of the error says where they do not.
Result<void> CheckInvariants(const ConfState& membership, const ProgressMap& progress);

/// Rebuilds a membership from what was saved, with fresh progress. Errors: kInvalidConfChange if
/// what was saved is no possible membership.
Result<Changer::Outcome> RestoreMembership(ConfState saved, const Inflights& prototype,
                                           LogIndex next);

}  // namespace raft

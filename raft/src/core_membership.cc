#include <algorithm>
#include <utility>

#include "raft/describe.h"
#include "raft/src/confchange/changer.h"
#include "raft/src/core.h"

namespace raft {

namespace {

Result<Changer::Outcome> WorkOut(Changer changer, const ConfChangeV2& change) {
  if (change.leaves_joint()) return std::move(changer).LeaveJoint();
  if (change.transition != ConfChangeTransition::kAuto || change.changes.size() > 1) {
    const bool auto_leave = change.transition != ConfChangeTransition::kJointExplicit;
    return std::move(changer).EnterJoint(auto_leave, change.changes);
  }
  return std::move(changer).Simple(change.changes);
}

}  // namespace

Result<ConfState> Core::ApplyConfChange(const ConfChangeV2& change) {
  const Inflights& prototype = tracker_.inflight_prototype();
  const LogIndex next = std::max<LogIndex>(log_.LastIndex(), 1);
  if (membership_before_snapshot_) {
    // Entries handed out before a snapshot came in are still being applied. The membership in force
    // is already that of the snapshot, which contains them.
    Result<Changer::Outcome> before =
        RestoreMembership(*membership_before_snapshot_, prototype, next);
    if (!before) return tl::unexpected(std::move(before).error());
    Result<Changer::Outcome> outcome =
        WorkOut(Changer(before->membership, before->progress, prototype, next), change);
    if (!outcome) return tl::unexpected(std::move(outcome).error());
    membership_before_snapshot_ = outcome->membership;
    return std::move(outcome->membership);
  }
  Result<Changer::Outcome> outcome =
      WorkOut(Changer(tracker_.membership(), tracker_.progress(), prototype, next), change);
  if (!outcome) return tl::unexpected(std::move(outcome).error());
  SwitchTo(std::move(outcome->membership), std::move(outcome->progress));
  return tracker_.membership();
}

void Core::SwitchTo(ConfState membership, ProgressMap progress) {
  tracker_.Replace(std::move(membership), std::move(progress));
  if (journal_.Enabled(LogLevel::kInfo)) {
    journal_.Info("{:x} switched to configuration {}", id(),
                  DescribeMembership(tracker_.membership()));
  }
  if (!leads()) return;

  const Progress* self = tracker_.Find(id());
  if (self == nullptr || self->is_learner()) {
    // A leader outside the group may lead on until the host stops it, but it does not count itself
    // (thesis 4.2.2), and takes no proposals.
    if (config_.step_down_on_removal) BecomeFollower(term_, kNoNode);
    return;
  }
  if (tracker_.membership().voters.empty()) return;
  // With fewer voters more may be committed; new ones should hear of the log at once.
  if (MaybeCommit()) {
    ReleasePostponedReads();
    BroadcastAppend();
  } else {
    for (Progress& member : tracker_.progress()) {
      if (member.id() != id()) MaybeSendAppend(member, IfEmpty::kSkip);
    }
  }
  ReleaseConfirmedReads();
  if (lead_transferee_ != kNoNode && !tracker_.IsVoter(lead_transferee_)) {
    lead_transferee_ = kNoNode;
  }
}

void Core::AppliedTo(LogIndex index, uint64_t bytes) {
  const LogIndex applied = std::max(index, log_.applied());
  log_.AppliedTo(applied, bytes);
  if (leads() && tracker_.membership().auto_leave && applied >= pending_conf_index_) {
    LeaveJointByItself();
  }
}

void Core::AppliedSnapshot(const SnapshotPtr& snapshot) {
  const LogIndex index = snapshot->metadata.index;
  log_.unstable().StableSnapshotTo(index);
  if (!log_.HasSnapshot()) membership_before_snapshot_.reset();
  AppliedTo(index, 0);
}

void Core::LeaveJointByItself() {
  // Unset, the data decodes as the change that leaves, and no size limit refuses it.
  Result<void> proposed = Propose(EntryType::kConfChangeV2, Payload());
  // Refused while a transfer runs; tried again as the next entry is applied.
  const std::string membership = DescribeMembership(tracker_.membership());
  if (proposed) {
    journal_.Info("initiating automatic transition out of joint configuration {}", membership);
  } else {
    journal_.Debug("not initiating automatic transition out of joint configuration {}: {}",
                   membership, proposed.error().context);
  }
}

}  // namespace raft

#include <algorithm>
#include <utility>

#include "raft/describe.h"
#include "raft/src/confchange/changer.h"
#include "raft/src/core.h"

namespace raft {

Result<void> Core::StepFollower(Message& message) {
  switch (message.type) {
    case MessageType::kProp:
      return ForwardProposal(message);
    case MessageType::kApp:
      FollowSender(message);
      OnAppend(message);
      return {};
    case MessageType::kHeartbeat:
      return OnHeartbeat(message);
    case MessageType::kSnap:
      FollowSender(message);
      return OnSnapshot(message);
    case MessageType::kTransferLeader:
      ForwardToLeader(message, "leader transfer");
      return {};
    case MessageType::kReadIndex:
      ForwardToLeader(message, "index reading");
      return {};
    case MessageType::kReadIndexResp:
      OnReadIndexResponse(message);
      return {};
    case MessageType::kForgetLeader:
      OnForgetLeader();
      return {};
    case MessageType::kTimeoutNow:
      journal_.Info(
          "{:x} [term {}] received MsgTimeoutNow from {:x} and starts an election to get "
          "leadership.",
          id(), term_, message.from);
      // The leader asked for it, so there is no need to ask the others first.
      Hup(Campaign::kTransfer);
      return {};
    default:
      return {};
  }
}

Result<void> Core::ForwardProposal(Message& message) {
  if (leader_ == kNoNode) {
    journal_.Info("{:x} no leader at term {}; dropping proposal", id(), term_);
    return Fail(ErrorCode::kProposalDropped, kTextProposalDropped);
  }
  if (config_.disable_proposal_forwarding) {
    journal_.Info("{:x} not forwarding to leader {:x} at term {}; dropping proposal", id(), leader_,
                  term_);
    return Fail(ErrorCode::kProposalDropped, kTextProposalDropped);
  }
  SendToLeader(message);
  return {};
}

void Core::ForwardToLeader(Message& message, const char* what) {
  if (leader_ == kNoNode) {
    journal_.Info("{:x} no leader at term {}; dropping {} msg", id(), term_, what);
    return;
  }
  SendToLeader(message);
}

void Core::SendToLeader(Message& message) {
  message.to = leader_;
  message.term = 0;
  Send(std::move(message));
}

void Core::OnForgetLeader() {
  if (config_.read_only_option == ReadOnlyOption::kLeaseBased) {
    // The leader counts on this node to refuse others for a while.
    journal_.Error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
    return;
  }
  if (leader_ == kNoNode) return;
  journal_.Info("{:x} forgetting leader {:x} at term {}", id(), leader_, term_);
  leader_ = kNoNode;
}

void Core::FollowSender(const Message& message) {
  election_elapsed_ = 0;
  if (uses_lease()) promised_ticks_ = config_.election_tick;
  leader_ = message.from;
}

// A state machine that is damaged asks for another. Appends are taken as ever, since the group may need this
// node to commit; the leader holds them back once it can do without.
Result<void> Core::RequestSnapshot() {
  const EntryId last = log_.LastId();
  if (leads() || leader_ == kNoNode || log_.HasSnapshot() || snapshot_wanted_ ||
      last.term != term_) {
    journal_.Info("{:x} does not request a snapshot at term {} [leader: {:x}, lastterm: {}]", id(),
                  term_, leader_, last.term);
    return Fail(ErrorCode::kRequestSnapshotDropped, kTextRequestSnapshotDropped);
  }
  snapshot_wanted_ = true;
  AskForSnapshot(last.index);
  return {};
}

// One that covers the log, as what is behind it goes with the log, and may have been acknowledged.
void Core::AskForSnapshot(LogIndex at_least) {
  const EntryId last = log_.LastId();
  Message answer = Make(MessageType::kAppResp, leader_);
  answer.index = log_.committed();
  answer.reject = true;
  answer.reject_hint = last.index;
  answer.log_term = last.term;
  answer.request_snapshot = at_least;
  Send(std::move(answer));
}

void Core::OnAppend(const Message& message) {
  Message answer = Make(MessageType::kAppResp, message.from);
  if (message.index < log_.committed()) {
    answer.index = log_.committed();
    Send(std::move(answer));
    return;
  }
  const EntryId previous{message.log_term, message.index};
  if (const auto last = log_.MaybeAppend(previous, message.entries, message.commit)) {
    answer.index = *last;
    Send(std::move(answer));
    return;
  }
  journal_.Debug("{:x} [logterm: {}, index: {}] rejected MsgApp [logterm: {}, index: {}] from {:x}",
                 id(), log_.TermAt(message.index).value_or(0), message.index, message.log_term,
                 message.index, message.from);
  const EntryId hint =
      log_.FindConflictByTerm(std::min(message.index, log_.LastIndex()), message.log_term);
  answer.index = message.index;
  answer.reject = true;
  answer.reject_hint = hint.index;
  answer.log_term = hint.term;
  Send(std::move(answer));
}

Result<void> Core::OnHeartbeat(const Message& message) {
  // A leader names nothing that this node has not acknowledged. Either the message is wrong, or the
  // disk under this node forgot what it had written, and whom it follows must not matter then.
  if (message.commit > log_.LastIndex()) {
    std::string text = fmt::format(
        "raft: heartbeat from {:x} commits {}, the log ends at {}; was it truncated or lost?",
        message.from, message.commit, log_.LastIndex());
    journal_.Error("{:x} refused a {}", id(), text);
    return Fail(ErrorCode::kLogLost, std::move(text));
  }
  FollowSender(message);
  log_.CommitTo(message.commit);
  if (snapshot_wanted_) AskForSnapshot(log_.LastIndex());
  Message answer = Make(MessageType::kHeartbeatResp, message.from);
  answer.context = message.context;
  Send(std::move(answer));
  return {};
}

Result<void> Core::OnSnapshot(const Message& message) {
  const SnapshotMetadata& metadata = message.snapshot->metadata;
  if (metadata.index < log_.applied() && metadata.index > log_.committed()) {
    // After a restart with more applied than the log has, it would take the state machine back.
    AskForSnapshot(log_.applied());
    return {};
  }
  Result<bool> restored = RestoreSnapshot(message.snapshot);
  if (!restored) return tl::unexpected(std::move(restored).error());
  journal_.Info("{:x} [commit: {}] {} snapshot [index: {}, term: {}]", id(), log_.committed(),
                *restored ? "restored" : "ignored", metadata.index, metadata.term);
  Message answer = Make(MessageType::kAppResp, message.from);
  answer.index = *restored ? log_.LastIndex() : log_.committed();
  Send(std::move(answer));
  return {};
}

Result<bool> Core::RestoreSnapshot(const SnapshotPtr& snapshot) {
  const SnapshotMetadata& metadata = snapshot->metadata;
  const ConfState& members = metadata.conf_state;
  const bool wanted = snapshot_wanted_ && metadata.index >= log_.LastIndex();
  if (metadata.index <= log_.committed() && !(wanted && metadata.index == log_.committed())) {
    return false;
  }
  const auto lists = [this](const std::vector<NodeId>& ids) {
    return std::find(ids.begin(), ids.end(), id()) != ids.end();
  };
  if (!lists(members.voters) && !lists(members.learners) && !lists(members.voters_outgoing)) {
    journal_.Warn(
        "{:x} attempted to restore snapshot but it is not in the ConfState {}; should never happen",
        id(), Describe(members));
    return false;
  }
  if (!wanted && log_.Matches({metadata.term, metadata.index})) {
    const EntryId last = log_.LastId();
    journal_.Info(
        "{:x} [commit: {}, lastindex: {}, lastterm: {}] fast-forwarded commit to snapshot [index: "
        "{}, term: {}]",
        id(), log_.committed(), last.index, last.term, metadata.index, metadata.term);
    log_.CommitTo(metadata.index);
    return false;
  }
  // The membership is worked out before anything is touched: it came off the wire.
  Result<Changer::Outcome> membership =
      RestoreMembership(members, tracker_.inflight_prototype(), metadata.index);
  if (!membership) {
    return Fail(ErrorCode::kInvalidMessage,
                fmt::format("raft: snapshot with an impossible membership: {}",
                            membership.error().context));
  }
  log_.Restore(snapshot);
  snapshot_wanted_ = false;
  if (!membership_before_snapshot_) membership_before_snapshot_ = tracker_.membership();
  SwitchTo(std::move(membership->membership), std::move(membership->progress));
  const EntryId last = log_.LastId();
  journal_.Info(
      "{:x} [commit: {}, lastindex: {}, lastterm: {}] restored snapshot [index: {}, term: {}]",
      id(), log_.committed(), last.index, last.term, metadata.index, metadata.term);
  return true;
}

}  // namespace raft

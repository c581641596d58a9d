#include <utility>

#include "raft/describe.h"
#include "raft/src/core.h"

namespace raft {

Result<void> Core::StepLeader(Message& message) {
  switch (message.type) {
    case MessageType::kProp:
      return OnProposal(message.entries);
    case MessageType::kReadIndex:
      return OnReadIndex(message);
    case MessageType::kForgetLeader:
      return {};
    default:
      break;
  }
  Progress* progress = tracker_.Find(message.from);
  if (progress == nullptr) {
    journal_.Debug("{:x} no progress available for {:x}", id(), message.from);
    return {};
  }
  if (message.type == MessageType::kAppResp && !message.reject &&
      message.index > log_.LastIndex()) {
    return Fail(ErrorCode::kInvalidMessage,
                fmt::format("raft: {:x} acknowledged index {}, the log ends at {}", message.from,
                            message.index, log_.LastIndex()));
  }
  StepLeaderAboutMember(message, *progress);
  return {};
}

void Core::StepLeaderAboutMember(Message& message, Progress& progress) {
  switch (message.type) {
    case MessageType::kAppResp:
      OnAppendResponse(message, progress);
      return;
    case MessageType::kHeartbeatResp:
      OnHeartbeatResponse(message, progress);
      return;
    case MessageType::kSnapStatus:
      OnSnapshotStatus(progress, message.reject);
      return;
    case MessageType::kUnreachable:
      // Appends sent ahead are probably lost.
      if (progress.state() == ProgressState::kReplicate) progress.BecomeProbe();
      journal_.Debug("{:x} failed to send message to {:x} because it is unreachable [{}]", id(),
                     message.from, Describe(progress.status()));
      return;
    case MessageType::kTransferLeader:
      OnTransferLeader(message.from, progress);
      return;
    default:
      return;
  }
}

Result<void> Core::OnProposal(std::span<Entry> entries) {
  const auto dropped = [] { return Fail(ErrorCode::kProposalDropped, kTextProposalDropped); };
  if (entries.empty()) journal_.Fatal("{:x} stepped empty MsgProp", id());
  // A leader that was removed by the very change it committed leads on for a while.
  if (!HasMember(id())) return dropped();
  if (lead_transferee_ != kNoNode) {
    journal_.Debug("{:x} [term {}] transfer leadership to {:x} is in progress; dropping proposal",
                   id(), term_, lead_transferee_);
    return dropped();
  }
  if (Result<void> checked = CheckConfChanges(entries); !checked) return checked;
  if (!AppendOwn(entries)) return dropped();
  BroadcastAppend();
  return {};
}

Result<void> Core::CheckConfChanges(std::span<Entry> entries) {
  LogIndex index = log_.LastIndex();
  for (Entry& entry : entries) {
    ++index;
    if (entry.type == EntryType::kNormal) continue;
    Result<ConfChangeV2> change = DecodeConfChange(entry);
    if (!change) return tl::unexpected(std::move(change).error());
    for (const ConfChangeSingle& single : change->changes) {
      if (single.node_id < kApplyThread) continue;
      return Fail(ErrorCode::kInvalidConfChange, "a storage thread is no node");
    }
    const std::string refusal = RefusalOf(*change);
    if (refusal.empty() || config_.disable_conf_change_validation) {
      pending_conf_index_ = index;
      continue;
    }
    journal_.Info("{:x} ignoring conf change {} at config {}: {}", id(), Describe(*change),
                  DescribeMembership(tracker_.membership()), refusal);
    entry = Entry();
  }
  return {};
}

std::string Core::RefusalOf(const ConfChangeV2& change) const {
  if (pending_conf_index_ > log_.applied()) {
    return fmt::format("possible unapplied conf change at index {} (applied to {})",
                       pending_conf_index_, log_.applied());
  }
  const bool leaves = change.changes.empty();
  if (tracker_.joint() && !leaves) return "must transition out of joint config first";
  if (!tracker_.joint() && leaves) return "not in joint state; refusing empty conf change";
  return {};
}

bool Core::AppendOwn(std::span<Entry> entries) {
  LogIndex index = log_.LastIndex();
  for (Entry& entry : entries) {
    entry.term = term_;
    entry.index = ++index;
  }
  if (!CountUncommitted(entries)) {
    journal_.Warn(
        "{:x} appending new entries to log would exceed uncommitted entry size limit; dropping "
        "proposal",
        id());
    return false;
  }
  log_.AppendOwn(entries);
  AcknowledgeOwn(index);
  return true;
}

// The leader acknowledges to itself, once the entries are durable, as any other node does.
void Core::AcknowledgeOwn(LogIndex index) {
  if (config_.async_storage_writes) {
    Message own = Make(MessageType::kAppResp, id());
    own.index = index;
    Send(std::move(own));
  } else {
    // The same without the size of a message, as there is one for each proposal.
    if (!own_acks_.empty() && own_acks_.back().Extends(term_, index)) {
      own_acks_.back().last = index;
    } else {
      own_acks_.push_back({term_, index, index});
    }
  }
}

bool Core::CountUncommitted(std::span<const Entry> entries) {
  const uint64_t bytes = PayloadSize(entries);
  const uint64_t limit = config_.max_uncommitted_entries_size;
  // One proposal passes whatever its size, and so do empty entries, which elections need.
  if (limit != 0 && uncommitted_bytes_ > 0 && bytes > 0 && uncommitted_bytes_ + bytes > limit) {
    return false;
  }
  uncommitted_bytes_ += bytes;
  return true;
}

void Core::CheckQuorum() {
  if (!tracker_.QuorumActive()) {
    journal_.Warn("{:x} stepped down to follower since quorum is not active", id());
    BecomeFollower(term_, kNoNode);
  }
  for (Progress& progress : tracker_.progress()) {
    if (progress.id() != id()) progress.set_recent_active(false);
  }
}

void Core::OnSnapshotStatus(Progress& progress, bool failed) {
  if (progress.state() != ProgressState::kSnapshot) return;
  if (failed) progress.ForgetPendingSnapshot();
  progress.BecomeProbe();
  journal_.Debug("{:x} snapshot {}, resumed sending replication messages to {:x} [{}]", id(),
                 failed ? "failed" : "succeeded", progress.id(), Describe(progress.status()));
  // Wait for the acknowledgement of the snapshot, or a heartbeat's, before the next append.
  progress.PauseFlow();
}

void Core::OnTransferLeader(NodeId transferee, Progress& progress) {
  if (progress.is_learner()) {
    journal_.Debug("{:x} is learner. Ignored transferring leadership", id());
    return;
  }
  if (lead_transferee_ != kNoNode) {
    if (lead_transferee_ == transferee) {
      journal_.Info(
          "{:x} [term {}] transfer leadership to {:x} is in progress, ignores request to same node "
          "{:x}",
          id(), term_, transferee, transferee);
      return;
    }
    const NodeId previous = std::exchange(lead_transferee_, kNoNode);
    journal_.Info("{:x} [term {}] abort previous transferring leadership to {:x}", id(), term_,
                  previous);
  }
  if (transferee == id()) {
    journal_.Debug("{:x} is already leader. Ignored transferring leadership to self", id());
    return;
  }
  journal_.Info("{:x} [term {}] starts to transfer leadership to {:x}", id(), term_, transferee);
  // It has one base election timeout from now.
  election_elapsed_ = 0;
  lead_transferee_ = transferee;
  if (progress.match() == log_.LastIndex()) {
    SendTimeoutNow(transferee);
    journal_.Info("{:x} sends MsgTimeoutNow to {:x} immediately as {:x} already has up-to-date log",
                  id(), transferee, transferee);
  } else {
    SendAppend(progress);
  }
}

void Core::SendTimeoutNow(NodeId to) {
  // It may take over at any time from now on, and voters help it at once; later as well, should this
  // message be late and the hand-over long given up.
  lease_given_up_ = true;
  Send(Make(MessageType::kTimeoutNow, to));
}

}  // namespace raft

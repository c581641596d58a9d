#include <algorithm>

#include "raft/describe.h"
#include "raft/src/core.h"

namespace raft {
namespace {

MessageType ResponseTo(MessageType request) {
  return request == MessageType::kVote ? MessageType::kVoteResp : MessageType::kPreVoteResp;
}

}  // namespace

void Core::Hup(Campaign campaign) {
  if (leads()) {
    journal_.Debug("{:x} ignoring MsgHup because already leader", id());
    return;
  }
  if (!Promotable()) {
    journal_.Warn("{:x} is unpromotable and can not campaign", id());
    return;
  }
  // Of an only voter, too: who leads may have been removed and not know it.
  if (promised_ticks_ > 0 && campaign != Campaign::kTransfer) {
    journal_.Info("{:x} does not campaign at term {}: a leader counts on this node for {} ticks",
                  id(), term_, promised_ticks_);
    return;
  }
  if (term_ >= kCounterMax) {
    journal_.Error("{:x} cannot campaign: no term is left after {}", id(), term_);
    return;
  }
  if (HasUnappliedConfChange()) {
    journal_.Warn(
        "{:x} cannot campaign at term {} since there are still pending configuration changes to "
        "apply",
        id(), term_);
    return;
  }
  journal_.Info("{:x} is starting a new election at term {}", id(), term_);
  StartCampaign(campaign);
}

bool Core::HasUnappliedConfChange() {
  const uint64_t page_bytes = ApplyingBytesMax(config_);
  const LogIndex end = log_.committed() + 1;
  std::vector<Entry> page = TakeBuffer();
  bool found = false;
  for (LogIndex from = log_.applied() + 1; from < end && !found; from += page.size()) {
    page.clear();
    if (!log_.Slice(from, end, page_bytes, page) || page.empty()) {
      journal_.Fatal("error scanning unapplied entries [{}, {}): {}", from, end, kTextCompacted);
    }
    found = std::any_of(page.begin(), page.end(),
                        [](const Entry& entry) { return entry.type != EntryType::kNormal; });
  }
  GiveBack(std::move(page));
  return found;
}

void Core::StartCampaign(Campaign campaign) {
  if (!Promotable()) {
    journal_.Warn("{:x} is unpromotable; campaign() should have been called", id());
  }
  const bool pre = campaign == Campaign::kPreElection;
  if (pre) {
    BecomePreCandidate();
  } else {
    BecomeCandidate();
  }
  const Term term = pre ? term_ + 1 : term_;
  for (const NodeId voter : tracker_.Voters()) {
    if (voter != id()) {
      RequestVote(voter, campaign, term);
      continue;
    }
    // The own vote, too, counts only once it is durable.
    Message own = Make(pre ? MessageType::kPreVoteResp : MessageType::kVoteResp, voter);
    own.term = term;
    Send(std::move(own));
  }
}

void Core::RequestVote(NodeId voter, Campaign campaign, Term term) {
  const MessageType type =
      campaign == Campaign::kPreElection ? MessageType::kPreVote : MessageType::kVote;
  const EntryId last = log_.LastId();
  journal_.Info("{:x} [logterm: {}, index: {}] sent {} request to {:x} at term {}", id(), last.term,
                last.index, Name(type), voter, term_);
  Message request = Make(type, voter);
  request.term = term;
  request.index = last.index;
  request.log_term = last.term;
  request.priority = config_.priority;
  if (config_.commit_by_vote) TellCommit(request);
  if (campaign == Campaign::kTransfer) request.context = Payload::Copy(kCampaignTransfer);
  Send(std::move(request));
}

void Core::OnVoteRequest(const Message& message) {
  const bool pre = message.type == MessageType::kPreVote;
  // One vote a term, and none while a leader is known; a pre-vote binds nobody.
  const bool free = vote_ == message.from || (vote_ == kNoNode && leader_ == kNoNode) ||
                    (pre && message.term > term_);
  const EntryId last = log_.LastId();
  // Not where the candidate has more: this node could not be elected in its place.
  const bool outranked =
      message.priority < config_.priority && last == EntryId{message.log_term, message.index};
  const bool grant = free && !outranked && log_.IsUpToDate({message.log_term, message.index});
  // Learners answer too: they may have been made voters by entries they have not seen yet.
  journal_.Info(
      "{:x} [logterm: {}, index: {}, vote: {:x}] {} {} {} {:x} [logterm: {}, index: {}] at term {}",
      id(), last.term, last.index, vote_, grant ? "cast" : "rejected", Name(message.type),
      grant ? "for" : "from", message.from, message.log_term, message.index, term_);
  Message answer = Make(ResponseTo(message.type), message.from);
  // A granted pre-vote answers for the term asked about, which is not the own one yet.
  answer.term = grant ? message.term : term_;
  answer.reject = !grant;
  if (!grant && config_.commit_by_vote) TellCommit(answer);
  Send(std::move(answer));
  if (grant && !pre) {
    election_elapsed_ = 0;
    vote_ = message.from;
  }
  if (!grant) CommitByVote(message);
}

void Core::TellCommit(Message& message) const {
  message.commit = log_.committed();
  message.commit_term = log_.TermAt(message.commit).value_or(0);
}

// What anybody has committed is committed, and this log has it if it has that entry; or an earlier one of
// the same term, since its leader had both and never takes back (thesis 3.5). As in TiKV's Raft: without
// it voters that wait for each other to apply a membership change may elect nobody.
void Core::CommitByVote(const Message& message) {
  if (!config_.commit_by_vote || leads()) return;
  const LogIndex before = log_.committed();
  const LogIndex common = std::min(message.commit, log_.LastIndex());
  if (!log_.MaybeCommit({message.commit_term, common})) return;
  journal_.Info("{:x} [commit: {}] fast-forwarded commit to {} by {} from {:x}", id(), before,
                log_.committed(), Name(message.type), message.from);
  // Who has such a change to apply may not campaign.
  if (role_ != Role::kFollower && HasUnappliedConfChange()) BecomeFollower(term_, kNoNode);
}

Result<void> Core::StepCandidate(Message& message) {
  switch (message.type) {
    case MessageType::kProp:
      journal_.Info("{:x} no leader at term {}; dropping proposal", id(), term_);
      return Fail(ErrorCode::kProposalDropped, kTextProposalDropped);
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      BecomeFollower(message.term, message.from);
      return StepFollower(message);
    case MessageType::kVoteResp:
      if (role_ == Role::kCandidate) OnVoteResponse(message);
      CommitByVote(message);
      return {};
    case MessageType::kPreVoteResp:
      if (role_ == Role::kPreCandidate) OnVoteResponse(message);
      CommitByVote(message);
      return {};
    case MessageType::kTimeoutNow:
      journal_.Debug("{:x} [term {} state {}] ignored MsgTimeoutNow from {:x}", id(), term_,
                     Name(role_), message.from);
      return {};
    default:
      return {};
  }
}

void Core::OnVoteResponse(const Message& message) {
  journal_.Info("{:x} received {}{} from {:x} at term {}", id(), Name(message.type),
                message.reject ? " rejection" : "", message.from, term_);
  tracker_.RecordVote(message.from, !message.reject);
  const Tracker::Tally tally = tracker_.CountVotes();
  journal_.Info("{:x} has received {} {} votes and {} vote rejections", id(), tally.granted,
                Name(message.type), tally.rejected);
  switch (tally.result) {
    case VoteResult::kPending:
      return;
    case VoteResult::kLost:
      // A pre-candidate's term may be behind that of the answers; it has not moved by them.
      BecomeFollower(term_, kNoNode);
      return;
    case VoteResult::kWon:
      if (role_ == Role::kPreCandidate) {
        StartCampaign(Campaign::kElection);
      } else {
        BecomeLeader();
        BroadcastAppend();
      }
      return;
  }
}

}  // namespace raft

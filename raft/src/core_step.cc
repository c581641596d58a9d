#include "raft/describe.h"
#include "raft/src/core.h"

namespace raft {
namespace {

tl::unexpected<Error> Invalid(const Message& message, const char* what) {
  return Fail(ErrorCode::kInvalidMessage, fmt::format("raft: invalid {} from {:x}: {}",
                                                      Name(message.type), message.from, what));
}

bool TravelsWithoutTerm(MessageType type) {
  return type == MessageType::kProp || type == MessageType::kReadIndex ||
         type == MessageType::kTransferLeader || type == MessageType::kForgetLeader;
}

bool IsStorageThread(NodeId node) { return node == kAppendThread || node == kApplyThread; }

bool IsKnown(MessageType type) { return type <= MessageType::kForgetLeader; }

// What was asked of a leader may be forwarded back to who asked. Own acknowledgements come back through
// Step only with asynchronous writes, and never refuse anything.
bool MayComeFromSelf(const Message& message, const Config& config) {
  if (TravelsWithoutTerm(message.type)) return true;
  const bool acknowledges = message.type == MessageType::kAppResp ||
                            message.type == MessageType::kVoteResp ||
                            message.type == MessageType::kPreVoteResp;
  return acknowledges && config.async_storage_writes && !message.reject;
}

bool IsKnown(EntryType type) { return type <= EntryType::kConfChangeV2; }

Result<void> CheckProposal(const Message& message) {
  if (message.entries.empty()) return Invalid(message, "no entries");
  for (const Entry& entry : message.entries) {
    if (!IsKnown(entry.type)) return Invalid(message, "entry of no known type");
  }
  return {};
}

// What a snapshot contains was committed before it was sent. At term 0, before the first election of a
// group, there is no term to compare with.
Result<void> CheckSnapshot(const Message& message) {
  if (message.snapshot == nullptr) return Invalid(message, "no snapshot");
  const SnapshotMetadata& metadata = message.snapshot->metadata;
  if (metadata.index > kCounterMax) return Invalid(message, "index out of range");
  const Term newest = message.term == 0 ? kCounterMax : message.term;
  if (metadata.index != 0 && (metadata.term == 0 || metadata.term > newest)) {
    return Invalid(message, "term of the snapshot out of range");
  }
  return {};
}

// The entries of an append must follow each other, or the log would be torn.
Result<void> CheckAppend(const Message& message) {
  Term term = message.log_term;
  LogIndex index = message.index;
  for (const Entry& entry : message.entries) {
    if (!IsKnown(entry.type)) return Invalid(message, "entry of no known type");
    if (entry.index != ++index) return Invalid(message, "entries are not contiguous");
    if (entry.term < term || entry.term > message.term) {
      return Invalid(message, "terms of the entries are out of order");
    }
    term = entry.term;
  }
  return {};
}

}  // namespace

Result<void> Core::CheckReceived(const Message& message) const {
  if (!IsKnown(message.type)) return Invalid(message, "no known type");
  if (message.to != kNoNode && message.to != id()) return Invalid(message, "for another node");
  if (IsStorageThread(message.from)) return CheckStorageResponse(message);
  if (IsLocal(message.type)) {
    return Fail(ErrorCode::kStepLocalMessage, "raft: cannot step raft local message");
  }
  if (IsResponse(message.type) && !HasMember(message.from)) {
    return Fail(ErrorCode::kPeerNotFound, "raft: cannot step as peer not found");
  }
  const bool first_snapshot = message.type == MessageType::kSnap && term_ == 0;
  if (message.term == 0 && !TravelsWithoutTerm(message.type) && !first_snapshot) {
    return Invalid(message, "no term");
  }
  if (message.from == kNoNode) return Invalid(message, "no sender");
  if (message.from == id()) {
    if (!MayComeFromSelf(message, config_)) return Invalid(message, "own name as the sender");
  } else {
    if (message.term > kCounterMax) return Invalid(message, "term out of range");
    if (message.index > kCounterMax || message.request_snapshot > kCounterMax) {
      return Invalid(message, "index out of range");
    }
  }
  switch (message.type) {
    case MessageType::kVote:
    case MessageType::kPreVote:
      // It has what it has committed.
      if (message.commit > message.index || message.commit_term > message.log_term) {
        return Invalid(message, "commits more than its log");
      }
      return {};
    case MessageType::kApp:
      return CheckAppend(message);
    case MessageType::kSnap:
      return CheckSnapshot(message);
    case MessageType::kProp:
      return CheckProposal(message);
    case MessageType::kReadIndex:
      if (message.entries.size() != 1) return Invalid(message, "not one entry");
      return {};
    default:
      return {};
  }
}

// Of work that was handed out, or it is no answer of a storage thread.
Result<void> Core::CheckStorageResponse(const Message& message) const {
  if (!config_.async_storage_writes) return Invalid(message, "no storage thread is at work");
  if (message.from == kAppendThread && message.type == MessageType::kStorageAppendResp) {
    if (message.snapshot != nullptr && message.snapshot->metadata.index > log_.committed()) {
      return Invalid(message, "snapshot that was not handed out");
    }
    return {};
  }
  if (message.from == kApplyThread && message.type == MessageType::kStorageApplyResp) {
    if (!message.entries.empty() && message.entries.back().index > log_.applying()) {
      return Invalid(message, "entries that were not handed out");
    }
    return {};
  }
  return Invalid(message, "not what a storage thread answers");
}

Result<void> Core::Step(Message& message) {
  if (KeepsPromise(message)) {
    journal_.Info(
        "{:x} [term: {}] ignored {} from {:x} at term {}: a leader counts on this node "
        "for {} ticks",
        id(), term_, Name(message.type), message.from, message.term, promised_ticks_);
    return {};
  }
  if (message.term > term_) {
    if (OnHigherTerm(message) == Verdict::kDone) return {};
  } else if (message.term != 0 && message.term < term_) {
    if (OnLowerTerm(message) == Verdict::kDone) return {};
  }
  switch (message.type) {
    case MessageType::kHup:
      Hup(config_.pre_vote ? Campaign::kPreElection : Campaign::kElection);
      return {};
    case MessageType::kStorageAppendResp:
      OnStorageAppendResp(message);
      return {};
    case MessageType::kStorageApplyResp:
      OnStorageApplyResp(message);
      return {};
    case MessageType::kVote:
    case MessageType::kPreVote:
      OnVoteRequest(message);
      return {};
    default:
      return StepByRole(message);
  }
}

Result<void> Core::StepByRole(Message& message) {
  switch (role_) {
    case Role::kFollower:
      return StepFollower(message);
    case Role::kCandidate:
    case Role::kPreCandidate:
      return StepCandidate(message);
    case Role::kLeader:
      return StepLeader(message);
  }
  return {};
}

Core::Verdict Core::OnHigherTerm(const Message& message) {
  const bool vote = message.type == MessageType::kVote || message.type == MessageType::kPreVote;
  const bool forced = message.context.view() == kCampaignTransfer;
  const bool in_lease =
      config_.check_quorum && leader_ != kNoNode && election_elapsed_ < config_.election_tick;
  if (vote && !forced && in_lease) {
    // Who hears from a leader does not help to depose it (thesis 4.2.3).
    const EntryId last = log_.LastId();
    journal_.Info(
        "{:x} [logterm: {}, index: {}, vote: {:x}] ignored {} from {:x} [logterm: {}, index: {}] "
        "at term {}: lease is not expired (remaining ticks: {})",
        id(), last.term, last.index, vote_, Name(message.type), message.from, message.log_term,
        message.index, term_, config_.election_tick - election_elapsed_);
    return Verdict::kDone;
  }
  // A pre-vote is about a term that may never come; a granted one carries the term asked about.
  if (message.type == MessageType::kPreVote) return Verdict::kGoOn;
  if (message.type == MessageType::kPreVoteResp && !message.reject) return Verdict::kGoOn;
  journal_.Info("{:x} [term: {}] received a {} message with higher term from {:x} [term: {}]", id(),
                term_, Name(message.type), message.from, message.term);
  const bool from_leader = message.type == MessageType::kApp ||
                           message.type == MessageType::kHeartbeat ||
                           message.type == MessageType::kSnap;
  BecomeFollower(message.term, from_leader ? message.from : kNoNode);
  return Verdict::kGoOn;
}

Core::Verdict Core::OnLowerTerm(const Message& message) {
  const MessageType type = message.type;
  const bool from_leader = type == MessageType::kHeartbeat || type == MessageType::kApp;
  if ((config_.check_quorum || config_.pre_vote) && from_leader) {
    // A node whose term ran ahead while it was cut off cannot win a vote against a lease, nor would
    // it follow a lower term: this answer makes the leader step up to its term.
    Send(Make(MessageType::kAppResp, message.from));
  } else if (type == MessageType::kPreVote) {
    // Silence would leave two pre-candidates of different terms waiting for each other for ever.
    const EntryId last = log_.LastId();
    journal_.Info(
        "{:x} [logterm: {}, index: {}, vote: {:x}] rejected {} from {:x} [logterm: {}, index: {}] "
        "at term {}",
        id(), last.term, last.index, vote_, Name(type), message.from, message.log_term,
        message.index, term_);
    Message answer = Make(MessageType::kPreVoteResp, message.from);
    answer.term = term_;
    answer.reject = true;
    Send(std::move(answer));
  } else if (type == MessageType::kStorageAppendResp) {
    // Entries of an older term may have been overwritten since, and be back later under the same
    // index and term: only an acknowledgement given in the current term says they are durable.
    if (message.index != 0) {
      journal_.Info(
          "{:x} [term: {}] ignored entry appends from a {} message with lower term "
          "[term: {}]",
          id(), term_, Name(type), message.term);
    }
    if (message.snapshot != nullptr) AppliedSnapshot(message.snapshot);
  } else {
    journal_.Info("{:x} [term: {}] ignored a {} message with lower term from {:x} [term: {}]", id(),
                  term_, Name(type), message.from, message.term);
  }
  return Verdict::kDone;
}

void Core::OnStorageAppendResp(const Message& message) {
  if (message.index != 0) log_.unstable().StableTo(message.index, message.log_term);
  if (message.snapshot != nullptr) AppliedSnapshot(message.snapshot);
}

void Core::OnStorageApplyResp(Message& message) {
  if (message.entries.empty()) return;
  AppliedTo(message.entries.back().index, EncodedSize(std::span<const Entry>(message.entries)));
  uncommitted_bytes_ -= std::min(uncommitted_bytes_, PayloadSize(message.entries));
  GiveBack(std::move(message.entries));
}

Result<void> Core::Propose(std::span<Entry> entries) {
  if (leads()) return OnProposal(entries);
  Message message = Make(MessageType::kProp, kNoNode);
  message.entries = TakeBuffer();
  for (Entry& entry : entries) message.entries.push_back(std::move(entry));
  Result<void> result = StepByRole(message);
  GiveBack(std::move(message.entries));
  return result;
}

Result<void> Core::Propose(EntryType type, Payload data) {
  Entry entry{type, 0, 0, std::move(data)};
  return Propose({&entry, 1});
}

Result<void> Core::ProposeBatch(std::span<const Payload> data) {
  std::vector<Entry> entries = TakeBuffer();
  for (const Payload& payload : data) entries.push_back({EntryType::kNormal, 0, 0, payload});
  Result<void> result = Propose(entries);
  GiveBack(std::move(entries));
  return result;
}

}  // namespace raft

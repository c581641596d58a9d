#include "tests/raft/fuzz/host.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "raft/describe.h"

namespace raft::fuzz {
namespace {

constexpr NodeId kSelf = 1;
constexpr size_t kSentKept = 32;

void Require(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "broken: {}\n", what);
  std::abort();
}

void Die(std::string_view text) {
  fmt::print(stderr, "fatal: {}\n", text);
  std::abort();
}

/// Groups to start in: none yet, this node as a voter, as a learner, and in either half of a joint membership.
std::vector<ConfState> Groups() {
  return {{},
          {{1, 2, 3}, {4}, {}, {}, false},
          {{1}, {}, {}, {}, false},
          {{2, 3}, {1}, {}, {}, false},
          {{1, 2, 3}, {}, {1, 2, 4}, {4}, true},
          {{2, 3}, {}, {1, 2}, {1}, false},
          {{1, 2}, {3}, {2}, {}, true},
          {{1, 2, 3, 4, 5}, {6}, {}, {}, false}};
}

uint64_t TotalSize(const std::vector<Entry>& entries) {
  uint64_t total = 0;
  for (const Entry& entry : entries) total += EncodedSize(entry);
  return total;
}

bool Follow(LogIndex index, const std::vector<Entry>& entries) {
  return std::all_of(entries.begin(), entries.end(),
                     [&index](const Entry& entry) { return entry.index == ++index; });
}

Message From(NodeId from, MessageType type, Term term) {
  Message message;
  message.type = type;
  message.from = from;
  message.to = kSelf;
  message.term = term;
  return message;
}

// What a member may answer; none to what asks for no answer.
Message AnswerTo(const Message& asked, bool reject) {
  Message answer = From(asked.to, MessageType::kHup, asked.term);
  answer.reject = reject;
  switch (asked.type) {
    case MessageType::kApp:
      answer.type = MessageType::kAppResp;
      answer.index = reject ? asked.index : asked.index + asked.entries.size();
      answer.reject_hint = asked.index / 2;
      answer.log_term = reject ? asked.log_term : 0;
      return answer;
    case MessageType::kSnap:
      answer.type = MessageType::kAppResp;
      answer.reject = false;
      answer.index = asked.snapshot->metadata.index;
      return answer;
    case MessageType::kHeartbeat:
      answer.type = MessageType::kHeartbeatResp;
      answer.reject = false;
      answer.context = asked.context;
      return answer;
    case MessageType::kVote:
      answer.type = MessageType::kVoteResp;
      return answer;
    case MessageType::kPreVote:
      answer.type = MessageType::kPreVoteResp;
      return answer;
    case MessageType::kReadIndex:
      answer.type = MessageType::kReadIndexResp;
      answer.entries = asked.entries;
      answer.index = asked.commit + 3;
      return answer;
    case MessageType::kTimeoutNow:
      answer.type = MessageType::kVote;
      ++answer.term;
      answer.index = 60;
      answer.log_term = answer.term;
      answer.context = Payload::Copy("CampaignTransfer");
      return answer;
    default:
      return answer;
  }
}

}  // namespace

Result<SnapshotPtr> HostStorage::GetSnapshot(LogIndex at_least, NodeId to) {
  if (hidden_) return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
  return StorageOver::GetSnapshot(at_least, to);
}

bool HostStorage::PrepareEntries(LogIndex, LogIndex, uint64_t, const FetchContext& context) {
  if (!slow_) return true;
  fetching_.push_back(context);
  return false;
}

std::vector<FetchContext> HostStorage::Fetch() {
  slow_ = false;
  return std::exchange(fetching_, {});
}

Host::Host(Input& in) : storage_(Die) {
  const uint8_t flags = in.Byte();
  const uint8_t more = in.Byte();
  config_.id = kSelf;
  config_.election_tick = 3;
  config_.heartbeat_tick = 1;
  config_.storage = &storage_;
  draws_ = in.Byte();
  config_.random = [this](uint64_t bound) { return draws_++ % bound; };
  config_.max_size_per_msg = in.Byte();
  config_.max_committed_size_per_ready = in.Byte() % 128;
  config_.max_uncommitted_entries_size = in.Byte() % 64;
  config_.max_inflight_msgs = 1 + in.Below(4);
  config_.max_inflight_bytes = in.Flag() ? config_.max_size_per_msg : 0;
  config_.check_quorum = (flags & 1) != 0;
  config_.pre_vote = (flags & 2) != 0;
  config_.async_storage_writes = (flags & 4) != 0;
  config_.step_down_on_removal = (flags & 8) != 0;
  config_.disable_proposal_forwarding = (flags & 16) != 0;
  config_.disable_conf_change_validation = (flags & 32) != 0;
  if (config_.check_quorum && (flags & 64) != 0) {
    config_.read_only_option = ReadOnlyOption::kLeaseBased;
    config_.lease_margin = 1;
  }
  config_.light_ready = (more & 32) != 0 && !config_.async_storage_writes;
  config_.batch_append = (more & 64) != 0;
  config_.commit_by_vote = (more & 64) != 0;
  config_.skip_bcast_commit = (more & 128) != 0;
  config_.max_apply_unpersisted_log_limit = (more & 128) != 0 && config_.light_ready ? 2 : 0;
  config_.max_election_tick = (more & 128) != 0 ? 4 : 0;
  config_.fatal = Die;
  const std::vector<ConfState> groups = Groups();
  Snapshot snapshot;
  snapshot.metadata = {groups[more % groups.size()], 2, 1};
  describe_ = (more & 8) != 0;
  bootstrap_ = (more & 16) != 0;
  if (snapshot.metadata.conf_state != ConfState{}) {
    Require(storage_.log().ApplySnapshot(snapshot).has_value(), "the first snapshot is refused");
    storage_.log().SetHardState({1, kNoNode, 2});
  }
  Start();
}

void Host::Start() {
  const SnapshotMetadata metadata = (*storage_.log().GetSnapshot(0, kSelf))->metadata;
  applied_ = restored_ = metadata.index;
  members_ = metadata.conf_state;
  config_.applied = applied_;
  told_ = applied_;
  number_ = 0;
  node_ = std::move(*RawNode::Create(config_));
  last_ = node_->GetBasicStatus().hard_state;
  Require(last_.term == storage_.log().hard_state().term, "the term was not restored");
  Require(last_.vote == storage_.log().hard_state().vote, "the vote was not restored");
  if (bootstrap_ && storage_.LastIndex() == 0 && storage_.log().hard_state().empty()) {
    const std::vector<Peer> peers = {{1, {}}, {2, Payload::Copy("two")}, {3, {}}};
    Require(node_->Bootstrap(peers).has_value(), "an empty node is not bootstrapped");
  }
}

void Host::Restart() {
  node_ = nullptr;
  writes_.clear();
  applies_.clear();
  parts_.clear();
  sent_.clear();
  (void)storage_.Fetch();
  Start();
}

void Host::Run(Input& in) {
  Call(static_cast<Op>(in.Below(static_cast<uint64_t>(Op::kCount))), in);
  CheckState();
}

void Host::Call(Op op, Input& in) {
  switch (op) {
    case Op::kTick:
      return node_->Tick();
    case Op::kPropose:
      return (void)node_->Propose(in.Bytes());
    case Op::kProposeBatch: {
      std::vector<Payload> batch(1 + in.Below(3));
      for (Payload& data : batch) data = in.Bytes();
      return (void)node_->ProposeBatch(batch);
    }
    case Op::kProposeConfChange:
      return (void)node_->ProposeConfChange(ReadConfChange(in));
    case Op::kProposeConfChangeV2:
      return (void)node_->ProposeConfChange(ReadConfChangeV2(in));
    case Op::kCampaign:
      return (void)node_->Campaign();
    case Op::kReadIndex:
      return node_->ReadIndex(in.Bytes());
    case Op::kTransferLeader:
      return node_->TransferLeader(in.Below(kIdBound));
    case Op::kForgetLeader:
      return node_->ForgetLeader();
    case Op::kReportUnreachable:
      return node_->ReportUnreachable(in.Below(kIdBound));
    case Op::kReportSnapshot: {
      const NodeId to = in.Below(kIdBound);
      const bool failed = in.Flag();
      return node_->ReportSnapshot(to, failed ? SnapshotStatus::kFailure : SnapshotStatus::kFinish);
    }
    case Op::kReady:
    case Op::kReadyDurable:
    case Op::kReadyWritten:
      return RunReady(op);
    case Op::kPersist:
      return Persist();
    case Op::kTellApplied:
      if (config_.light_ready) node_->AdvanceApplyTo(told_ + (applied_ - told_) / 2);
      told_ = node_->GetBasicStatus().applied;
      return;
    case Op::kTickQuiesced:
      return node_->TickQuiesced();
    case Op::kPing:
      return node_->Ping();
    case Op::kRequestSnapshot:
      return (void)node_->RequestSnapshot();
    case Op::kSlowDisk:
      return storage_.Slow();
    case Op::kFetched:
      for (const FetchContext& context : storage_.Fetch()) node_->OnEntriesFetched(context);
      return;
    case Op::kSetOption:
      return SetOption(in);
    case Op::kGroupCommit:
      return SetGroups(in);
    case Op::kWrite:
      return Write();
    case Op::kApply:
      return Apply();
    case Op::kCompact:
      return Compact();
    case Op::kRestart:
      return Restart();
    case Op::kHideSnapshot:
      return storage_.Hide(in.Flag());
    case Op::kAnswer:
      return Answer(in);
    case Op::kLead:
      return Lead(in);
    case Op::kMessage:
    case Op::kMessageAgain:
    case Op::kCount:
      return Step(ReadMessage(in, kSelf));
  }
}

void Host::SetOption(Input& in) {
  const uint64_t value = in.Below(4);
  switch (in.Below(6)) {
    case 0:
      return node_->SetPriority(static_cast<int64_t>(value) - 2);
    case 1:
      return node_->SetSkipBcastCommit(value != 0);
    case 2:
      return node_->SetBatchAppend(value != 0);
    case 3:
      if (config_.light_ready) node_->SetMaxApplyUnpersistedLogLimit(value);
      return;
    case 4:
      return (void)node_->SetCheckQuorum(value != 0);
    default:
      return (void)node_->SetMaxInflightMsgs(in.Below(kIdBound),
                                             std::min(value, config_.max_inflight_msgs));
  }
}

void Host::SetGroups(Input& in) {
  switch (in.Below(4)) {
    case 0:
      return node_->EnableGroupCommit(in.Flag());
    case 1:
      return node_->ClearCommitGroups();
    default: {
      const CommitGroup group{in.Below(kIdBound), in.Below(3)};
      node_->AssignCommitGroups({&group, 1});
      (void)node_->IsCommittedByGroups();
    }
  }
}

void Host::Answer(Input& in) {
  if (sent_.empty()) return;
  const Message& asked = sent_[in.Below(sent_.size())];
  const Message answer = AnswerTo(asked, in.Below(4) == 1);
  if (answer.type != MessageType::kHup) Step(answer);
}

void Host::Lead(Input& in) {
  const NodeId from = 2 + in.Below(5);
  const Term term = last_.term + in.Below(2);
  const LogIndex last = storage_.LastIndex();
  const LogIndex previous = last - std::min<LogIndex>(last, in.Below(4));
  Message message = From(from, MessageType::kApp, std::max<Term>(term, 1));
  message.commit = previous + in.Below(4);
  switch (in.Below(8)) {
    case 0:
      message.type = MessageType::kHeartbeat;
      break;
    case 1: {
      message.type = MessageType::kSnap;
      auto snapshot = std::make_shared<Snapshot>();
      snapshot->metadata = {members_, last + in.Below(4), message.term};
      message.snapshot = std::move(snapshot);
      break;
    }
    case 2:
      message.type = MessageType::kTimeoutNow;
      break;
    default:
      message.index = previous;
      message.log_term = storage_.GetTerm(previous).value_or(0);
      for (uint64_t count = in.Below(4); count > 0; --count) {
        // Perhaps of an earlier leader, and overwritten here meanwhile.
        const Term term_of_entry = message.term - std::min(message.term, in.Below(3));
        const LogIndex index = previous + message.entries.size() + 1;
        message.entries.push_back(ReadEntry(in, term_of_entry, index));
      }
  }
  Step(std::move(message));
}

// What names this node or a storage thread as its sender is the node's own, or is dropped by the transport.
void Host::Step(Message message) {
  const bool own = message.from == kSelf || message.from >= kApplyThread;
  if (own && config_.async_storage_writes) return;
  if (describe_) (void)Describe(message);
  (void)node_->Step(std::move(message));
}

void Host::RunReady(Op how) {
  if (!node_->HasReady()) return;
  Ready& ready = node_->GetReady();
  if (describe_) (void)Describe(ready);
  CheckReady(ready);
  if (config_.async_storage_writes) {
    HandOut(ready);
  } else if (config_.light_ready) {
    RunInParts(ready, how);
  } else {
    RunSynchronously(ready);
  }
}

void Host::RunInParts(Ready& ready, Op how) {
  const uint64_t number = ready.number;
  Require(number == ++number_, "a Ready has a wrong number");
  WriteParts(ready.hard_state ? &*ready.hard_state : nullptr, ready.entries, ready.snapshot);
  const auto later = ready.messages.begin() + static_cast<std::ptrdiff_t>(ready.immediate_count);
  parts_.push_back({number, {later, ready.messages.end()}});
  ready.messages.erase(later, ready.messages.end());
  for (Message& message : ready.messages) Send(std::move(message));
  ApplyEntries(ready.committed_entries);
  if (how == Op::kReadyWritten) return node_->AdvanceAppendAsync();
  if (how == Op::kReadyDurable) {
    LightReady& light = node_->AdvanceAppend();
    if (light.commit_index) {
      HardState state = storage_.log().hard_state();
      state.commit = *light.commit_index;
      WriteParts(&state, {}, nullptr);
    }
    for (Message& message : light.messages) Send(std::move(message));
    ApplyEntries(light.committed_entries);
  } else {
    node_->Advance();
    told_ = applied_;
  }
  for (const Part& part : parts_) {
    for (const Message& message : part.messages) Send(message);
  }
  parts_.clear();
}

void Host::Persist() {
  if (parts_.empty()) return;
  const Part part = std::move(parts_.front());
  parts_.pop_front();
  node_->OnPersistReady(part.number);
  for (const Message& message : part.messages) Send(message);
}

void Host::RunSynchronously(Ready& ready) {
  WriteParts(ready.hard_state ? &*ready.hard_state : nullptr, ready.entries, ready.snapshot);
  for (Message& message : ready.messages) Send(std::move(message));
  ApplyEntries(ready.committed_entries);
  node_->Advance();
}

void Host::HandOut(Ready& ready) {
  for (Message& message : ready.messages) {
    if (message.to == kAppendThread) {
      writes_.push_back(std::move(message));
    } else if (message.to == kApplyThread) {
      applies_.push_back(std::move(message));
    } else {
      Send(std::move(message));
    }
  }
}

void Host::Write() {
  if (writes_.empty()) return;
  Message work = std::move(writes_.front());
  writes_.pop_front();
  const HardState state{work.term, work.vote, work.commit};
  WriteParts(state.empty() ? nullptr : &state, work.entries, work.snapshot);
  for (Message& response : work.responses) Send(std::move(response));
}

void Host::Apply() {
  if (applies_.empty()) return;
  Message work = std::move(applies_.front());
  applies_.pop_front();
  ApplyEntries(work.entries);
  for (Message& response : work.responses) Send(std::move(response));
}

void Host::WriteParts(const HardState* state, const std::vector<Entry>& entries,
                      const SnapshotPtr& snapshot) {
  MemStorage& log = storage_.log();
  if (snapshot != nullptr) {
    // One that was asked for may be the stored one.
    const LogIndex stored = (*log.GetSnapshot(0, kSelf))->metadata.index;
    Require(snapshot->metadata.index == stored || log.ApplySnapshot(*snapshot).has_value(),
            "a snapshot older than the stored one");
    applied_ = restored_ = snapshot->metadata.index;
    members_ = snapshot->metadata.conf_state;
  }
  log.Append(entries);
  if (state == nullptr) return;
  HardState written = *state;
  written.commit = std::max(written.commit, log.hard_state().commit);  // See Compact.
  Require(written.term >= log.hard_state().term, "the stored term goes back");
  Require(written.commit <= log.LastIndex(), "the stored commit index is beyond the log");
  log.SetHardState(written);
}

void Host::ApplyEntries(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (config_.async_storage_writes && entry.index <= restored_) continue;
    Require(entry.index == applied_ + 1, "an entry is applied out of order");
    const Result<Term> term = storage_.GetTerm(entry.index);
    Require(term && *term == entry.term, "an entry is applied that is not written");
    applied_ = entry.index;
    Result<ConfChangeV2> change = DecodeConfChange(entry);
    if (!change) continue;
    if (entry.data.size() % 7 == 6) {  // Refused by the host, by a rule of its own.
      for (ConfChangeSingle& single : change->changes) single.node_id = kNoNode;
    }
    Result<ConfState> members = node_->ApplyConfChange(*change);
    if (members) members_ = *members;
  }
}

void Host::Compact() {
  MemStorage& log = storage_.log();
  if (applied_ <= (*log.GetSnapshot(0, kSelf))->metadata.index) return;
  if (members_.voters.empty()) return;
  if (config_.light_ready)
    node_->AdvanceApply();  // What the node does not know to be applied it may read.
  told_ = applied_;
  Require(log.CreateSnapshot(applied_, &members_, {}).has_value(), "no snapshot can be made");
  Require(log.Compact(applied_).has_value(), "the log cannot be compacted");
  // With asynchronous writes the commit index may have been applied before it was written.
  HardState state = log.hard_state();
  state.commit = std::max(state.commit, applied_);
  log.SetHardState(state);
}

void Host::Send(Message message) {
  CheckSent(message);
  if (message.to == kSelf) {
    (void)node_->Step(std::move(message));
    return;
  }
  sent_.push_front(std::move(message));
  if (sent_.size() > kSentKept) sent_.pop_back();
}

void Host::CheckReady(const Ready& ready) const {
  const uint64_t limit = config_.max_committed_size_per_ready != 0
                             ? config_.max_committed_size_per_ready
                             : config_.max_size_per_msg;
  Require(ready.committed_entries.size() <= 1 || TotalSize(ready.committed_entries) <= limit,
          "more is handed out to apply than fits");
  Require(ready.immediate_count <= ready.messages.size(), "more messages than there are");
  const bool voted = ready.hard_state && ready.hard_state->vote != kNoNode &&
                     ready.hard_state->vote != storage_.GetInitialState()->hard_state.vote;
  const bool must = !ready.entries.empty() || voted;
  Require(ready.must_sync || !must || config_.async_storage_writes, "a write that needs no sync");
}

void Host::CheckSent(const Message& message) {
  const bool to_self = message.to == kSelf;
  Require(!to_self || config_.async_storage_writes, "a message to itself");
  Require(message.to != kNoNode, "a message to nobody");
  Require(to_self || !IsLocal(message.type), "a local message to another node");
  if (message.type == MessageType::kApp) {
    Require(Follow(message.index, message.entries), "an append with a gap");
    Require(message.entries.size() <= 1 || TotalSize(message.entries) <= config_.max_size_per_msg,
            "an append that is too large");
  }
  if (message.type != MessageType::kVoteResp || message.reject) return;
  Require(storage_.log().hard_state().term >= message.term, "a vote that is not written");
  const auto [known, first] = granted_.emplace(message.term, message.to);
  Require(first || known->second == message.to, "two votes in a term");
}

void Host::CheckState() {
  const BasicStatus status = node_->GetBasicStatus();
  const HardState& state = status.hard_state;
  Require(state.term >= last_.term && state.commit >= last_.commit, "a number went back");
  Require(state.term > last_.term || last_.vote == kNoNode || state.vote == last_.vote,
          "the vote changed in a term");
  Require(status.applied <= state.commit, "applied beyond what is committed");
  last_ = state;
  node_->VisitProgress([this](const ProgressStatus& progress) {
    Require(progress.match < progress.next, "match is not below next");
    Require(progress.inflight_count <= config_.max_inflight_msgs, "the window is too full");
  });
}

}  // namespace raft::fuzz

#include "raft/src/core.h"

#include <algorithm>
#include <utility>

#include "raft/describe.h"
#include "raft/src/confchange/changer.h"

namespace raft {
namespace {

constexpr size_t kBuffersMax = 64;
constexpr size_t kBufferCapacityMax = 1024;
constexpr size_t kMessageBuffersMax = 4;
constexpr size_t kMessageBufferCapacityMax = 64;

std::string HexList(const std::vector<NodeId>& ids) {
  std::string text;
  for (const NodeId id : ids) text += fmt::format("{}{:x}", text.empty() ? "" : ",", id);
  return text;
}

template <class T>
std::vector<T> TakeFrom(std::vector<std::vector<T>>& pool) {
  if (pool.empty()) return {};
  std::vector<T> buffer = std::move(pool.back());
  pool.pop_back();
  return buffer;
}

bool IsVoteMessage(MessageType type) {
  return type == MessageType::kVote || type == MessageType::kVoteResp ||
         type == MessageType::kPreVote || type == MessageType::kPreVoteResp;
}

}  // namespace

Result<std::unique_ptr<Core>> Core::Create(Config config) {
  if (Result<void> valid = Validate(config); !valid) {
    return tl::unexpected(std::move(valid).error());
  }
  std::unique_ptr<Core> core(new Core(std::move(config)));
  if (Result<void> restored = core->Restore(); !restored) {
    return tl::unexpected(std::move(restored).error());
  }
  return core;
}

Core::Core(Config config)
    : config_(std::move(config)),
      journal_(config_.logger, config_.fatal),
      log_(*config_.storage, journal_, ApplyingBytesMax(config_)),
      tracker_(config_.max_inflight_msgs, config_.max_inflight_bytes) {
  journal_.set_state([this] { return DescribeState(); });
}

Result<void> Core::Restore() {
  Result<Storage::InitialState> initial = config_.storage->GetInitialState();
  if (!initial) return tl::unexpected(std::move(initial).error());
  Result<Changer::Outcome> membership =
      RestoreMembership(std::move(initial->conf_state), tracker_.inflight_prototype(),
                        std::max<LogIndex>(log_.LastIndex(), 1));
  if (!membership) return tl::unexpected(std::move(membership).error());
  SwitchTo(std::move(membership->membership), std::move(membership->progress));
  if (!initial->hard_state.empty()) {
    LoadHardState(initial->hard_state);
    // It may have promised something just before it went down, and does not know.
    if (uses_lease()) promised_ticks_ = config_.election_tick;
  }
  if (config_.applied > 0) {
    log_.LoadApplied(config_.applied, config_.max_apply_unpersisted_log_limit);
  }
  BecomeFollower(term_, kNoNode);
  previous_soft_state_ = soft_state();
  previous_hard_state_ = hard_state();
  if (journal_.Enabled(LogLevel::kInfo)) {
    journal_.Info(
        "newRaft {:x} [peers: [{}], term: {}, commit: {}, applied: {}, lastindex: {}, lastterm: "
        "{}]",
        id(), HexList(tracker_.Voters()), term_, log_.committed(), log_.applied(), log_.LastIndex(),
        log_.LastTerm());
  }
  return {};
}

void Core::LoadHardState(const HardState& state) {
  if (state.commit < log_.committed() || state.commit > log_.LastIndex()) {
    journal_.Fatal("{:x} state.commit {} is out of range [{}, {}]", id(), state.commit,
                   log_.committed(), log_.LastIndex());
  }
  log_.LoadCommitted(state.commit);
  term_ = state.term;
  vote_ = state.vote;
}

Result<void> Core::Bootstrap(std::span<const Peer> peers) {
  if (peers.empty()) {
    return Fail(ErrorCode::kInvalidBootstrap, "must provide at least one peer to Bootstrap");
  }
  if (log_.LastIndex() != 0) {
    return Fail(ErrorCode::kInvalidBootstrap, "can't bootstrap a nonempty Storage");
  }
  for (const Peer& peer : peers) {
    if (peer.id == kNoNode || peer.id >= kApplyThread) {
      return Fail(ErrorCode::kInvalidBootstrap, "a peer's id is none or that of a storage thread");
    }
  }
  // The first Ready must save the term and the commit index set here.
  previous_hard_state_ = {};
  BecomeFollower(1, kNoNode);
  std::vector<Entry> entries;
  for (const Peer& peer : peers) {
    const ConfChange change{0, ConfChangeType::kAddNode, peer.id, peer.context};
    entries.push_back({EntryType::kConfChange, 1, entries.size() + 1, Encode(change)});
  }
  log_.Append(entries);
  log_.CommitTo(entries.size());
  // The founding members are members at once, so that a campaign need not wait for a Ready. The
  // entries are applied again as they come out of it, which changes nothing.
  for (const Peer& peer : peers) {
    Result<ConfState> added =
        ApplyConfChange(ToV2({0, ConfChangeType::kAddNode, peer.id, peer.context}));
    if (!added) return tl::unexpected(std::move(added).error());
  }
  return {};
}

BasicStatus Core::basic_status() const {
  BasicStatus status;
  status.id = id();
  status.hard_state = hard_state();
  status.soft_state = soft_state();
  status.applied = log_.applied();
  status.lead_transferee = lead_transferee_;
  return status;
}

std::string Core::DescribeState() const {
  std::string text = fmt::format("{:x} {} term={} vote={:x} leader={:x} {} lastindex={} {}", id(),
                                 Name(role_), term_, vote_, leader_, log_.Describe(),
                                 log_.LastIndex(), DescribeMembership(tracker_.membership()));
  for (const Progress& progress : tracker_.progress()) {
    text += fmt::format(" {:x}: [{}]", progress.id(), Describe(progress.status()));
  }
  return text;
}

Result<void> Core::SetCheckQuorum(bool check) {
  Config wanted = config_;
  wanted.check_quorum = check;
  if (Result<void> valid = Validate(wanted); !valid) return valid;
  config_.check_quorum = check;
  return {};
}

void Core::SetMaxCommittedSizePerReady(uint64_t bytes) {
  config_.max_committed_size_per_ready = bytes;
  log_.SetApplyingBytesMax(ApplyingBytesMax(config_));
}

void Core::SetMaxApplyUnpersistedLogLimit(uint64_t entries) {
  config_.max_apply_unpersisted_log_limit = entries;
  if (leads()) log_.set_apply_ahead(entries);
}

Result<void> Core::SetMaxInflightMsgs(NodeId member, uint64_t count) {
  Progress* progress = tracker_.Find(member);
  if (progress == nullptr) {
    return Fail(ErrorCode::kPeerNotFound, fmt::format("raft: {:x} is no member", member));
  }
  progress->SetInflightMax(count);
  return {};
}

void Core::Reset(Term term) {
  if (term_ != term) {
    term_ = term;
    vote_ = kNoNode;
  }
  leader_ = kNoNode;
  election_elapsed_ = 0;
  heartbeat_elapsed_ = 0;
  DrawElectionTimeout();
  lead_transferee_ = kNoNode;
  tracker_.ResetVotes();
  const LogIndex last = log_.LastIndex();
  for (Progress& progress : tracker_.progress()) progress.Reset(last, progress.id() == id());
  pending_conf_index_ = 0;
  uncommitted_bytes_ = 0;
  log_.set_apply_ahead(0);
  reads_.Clear();
  postponed_reads_.clear();
  queued_appends_.clear();  // They are of an older term.
  lead_ticks_ = 0;
  lease_answers_.clear();
  lease_given_up_ = false;
}

void Core::DrawElectionTimeout() {
  const auto [min, max] = ElectionRange(config_);
  const uint64_t extra = config_.random(max - min);
  if (extra >= max - min) {
    journal_.Fatal("random source gave {} where less than {} was asked for", extra, max - min);
  }
  randomized_election_timeout_ = min + static_cast<uint32_t>(extra);
}

void Core::BecomeFollower(Term term, NodeId leader) {
  Reset(term);
  role_ = Role::kFollower;
  leader_ = leader;
  journal_.Info("{:x} became follower at term {}", id(), term_);
}

void Core::BecomeCandidate() {
  if (leads()) journal_.Fatal("invalid transition [leader -> candidate]");
  Reset(term_ + 1);
  snapshot_wanted_ = false;
  role_ = Role::kCandidate;
  vote_ = id();
  journal_.Info("{:x} became candidate at term {}", id(), term_);
}

void Core::BecomePreCandidate() {
  if (leads()) journal_.Fatal("invalid transition [leader -> pre-candidate]");
  // Term, vote and clock stay: nothing has happened yet but a question.
  tracker_.ResetVotes();
  role_ = Role::kPreCandidate;
  leader_ = kNoNode;
  journal_.Info("{:x} became pre-candidate at term {}", id(), term_);
}

void Core::BecomeLeader() {
  if (role_ == Role::kFollower) journal_.Fatal("invalid transition [follower -> leader]");
  Reset(term_);
  role_ = Role::kLeader;
  leader_ = id();
  log_.set_apply_ahead(config_.max_apply_unpersisted_log_limit);
  if (Progress* self = tracker_.Find(id()); self != nullptr) {
    self->BecomeReplicate();
    self->set_recent_active(true);
  }
  // There may be an unapplied change in the log; to look would cost more than to wait.
  pending_conf_index_ = log_.LastIndex();
  Entry empty;
  if (!AppendOwn({&empty, 1})) journal_.Fatal("empty entry was dropped");
  journal_.Info("{:x} became leader at term {}", id(), term_);
}

void Core::Tick() {
  if (leads()) {
    TickLeader();
  } else {
    TickElection();
  }
}

void Core::TickQuiesced() {
  ++election_elapsed_;
  // What is promised, and counted on, ends with time and not with heartbeats.
  if (leads()) ++lead_ticks_;
  if (promised_ticks_ > 0) --promised_ticks_;
}

void Core::Ping() {
  if (leads()) BroadcastHeartbeat();
}

void Core::TickElection() {
  ++election_elapsed_;
  if (promised_ticks_ > 0) --promised_ticks_;
  if (!Promotable() || election_elapsed_ < randomized_election_timeout_) return;
  election_elapsed_ = 0;
  Hup(config_.pre_vote ? Campaign::kPreElection : Campaign::kElection);
}

void Core::TickLeader() {
  ++lead_ticks_;
  ++heartbeat_elapsed_;
  ++election_elapsed_;
  if (election_elapsed_ >= config_.election_tick) {
    election_elapsed_ = 0;
    if (config_.check_quorum) CheckQuorum();
    // A transfer has had its time; the leader goes on.
    if (leads()) lead_transferee_ = kNoNode;
  }
  if (!leads() || heartbeat_elapsed_ < config_.heartbeat_tick) return;
  heartbeat_elapsed_ = 0;
  BroadcastHeartbeat();
}

bool Core::Promotable() const {
  const Progress* self = tracker_.Find(id());
  return self != nullptr && !self->is_learner() && !log_.HasSnapshot();
}

Message Core::Make(MessageType type, NodeId to) const {
  Message message;
  message.type = type;
  message.to = to;
  message.from = id();
  return message;
}

void Core::Send(Message message) {
  const MessageType type = message.type;
  if (message.from == kNoNode) message.from = id();
  if (IsVoteMessage(type)) {
    // Their term may be of an election to come, so the caller knows it better.
    if (message.term == 0) journal_.Fatal("term should be set when sending {}", Name(type));
  } else {
    if (message.term != 0) {
      journal_.Fatal("term should not be set when sending {} (was {})", Name(type), message.term);
    }
    // Proposals and reads pass on to a leader of whatever term.
    if (type != MessageType::kProp && type != MessageType::kReadIndex) message.term = term_;
  }
  if (PromisesWhatMustLast(type)) {
    messages_after_append_.push_back(std::move(message));
    return;
  }
  if (message.to == id()) {
    journal_.Fatal("message should not be self-addressed when sending {}", Name(type));
  }
  messages_.push_back(std::move(message));
}

bool Core::PromisesWhatMustLast(MessageType type) const {
  switch (type) {
    case MessageType::kAppResp:
    case MessageType::kVoteResp:
    case MessageType::kPreVoteResp:
      return true;
    case MessageType::kVote:
      return config_.hold_votes;
    case MessageType::kHeartbeatResp:
      // The leader's lease counts on it, and a node that has nothing on disk starts without a promise.
      return uses_lease();
    default:
      return false;
  }
}

std::vector<Entry> Core::TakeBuffer() { return TakeFrom(buffers_); }
std::vector<Message> Core::TakeMessages() { return TakeFrom(message_buffers_); }

void Core::GiveBack(std::vector<Entry>&& buffer) {
  if (buffer.capacity() == 0 || buffer.capacity() > kBufferCapacityMax) return;
  if (buffers_.size() == kBuffersMax) return;
  buffer.clear();
  buffers_.push_back(std::move(buffer));
}

void Core::GiveBack(std::vector<Message>&& messages) {
  for (Message& message : messages) GiveBack(std::move(message.entries));
  if (messages.capacity() == 0 || messages.capacity() > kMessageBufferCapacityMax) return;
  if (message_buffers_.size() == kMessageBuffersMax) return;
  messages.clear();
  message_buffers_.push_back(std::move(messages));
}

}  // namespace raft

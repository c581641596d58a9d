#include "pd/replication/replica.h"

#include <algorithm>
#include <random>
#include <string_view>
#include <utility>

#include "pd/codec/command_codec.h"
#include "pd/fsm/layout.h"
#include "pd/log/library_log.h"
#include "pd/log/log.h"
#include "pd/replication/log_compaction.h"
#include "pd/storage/bytes.h"
#include "scheduler/model/assert.h"

namespace pd {
namespace {

constexpr uint64_t kMessageBytesMax = 1U << 20U;    // Entries in one append.
constexpr uint64_t kCommittedBytesMax = 8U << 20U;  // Entries applied in one batch.
constexpr size_t kInflightMessagesMax = 256;
constexpr size_t kEnvelopeBytesMax = 4U << 20U;  // Messages are sent together up to this.
constexpr uint32_t kCompactionTicks = 100;
constexpr Nanos kLeaseRoundMax = kVoterPromise / 8;  // However rare heartbeats are set to be.
constexpr std::string_view kTransferCampaign =
    "CampaignTransfer";  // Votes of a hand-over; the library's word.

constexpr const char* kNotLeaderText = "not leader";

SnapshotSenderOptions SenderOptions(const GroupOptions& options) {
  SnapshotSenderOptions out;
  out.id = options.id;
  out.group_id = options.group_id;
  out.chunk_bytes = options.snapshot_chunk_bytes;
  out.window = options.snapshot_window;
  out.stalled = options.snapshot_stalled;
  return out;
}

Nanos BaseTimeout(const GroupOptions& options) { return options.tick * options.election_ticks; }

Result<void> CheckOptions(const GroupOptions& options) {
  const auto refuse = [](const char* what) { return Fail(ErrorCode::kInvalidArgument, what); };
  if (options.id == 0) return refuse("member id must not be 0");
  if (options.tick <= Millis(0)) return refuse("tick must be positive");
  if (options.heartbeat_ticks == 0 || options.election_ticks <= options.heartbeat_ticks) {
    return refuse("election timeout must be longer than the heartbeat interval");
  }
  if (BaseTimeout(options) < kVoterPromise) {
    return refuse("election timeout must not be shorter than what voters promise a leader");
  }
  if (options.drift < options.tick || options.drift >= kVoterPromise) {
    return refuse("drift bound must be between a tick and what voters promise a leader");
  }
  return {};
}

/// A longer election timeout bears more patience with the disk. The drift bound does not grow with it: it is cut off
/// what voters promise, which stays the same.
GroupOptions Completed(GroupOptions options) {
  options.drift = std::max(options.drift, 2 * options.tick);
  options.slow_disk =
      std::max(options.slow_disk, std::chrono::duration_cast<Millis>(BaseTimeout(options)));
  return options;
}

/// The database belongs to one member of one group for good.
Result<void> ClaimDatabase(const GroupOptions& options, Database& database) {
  const auto stored = RaftGroup::StoredId(database);
  if (!stored) return tl::unexpected(stored.error());
  if (*stored) {
    if (**stored == options.id) return {};
    return Fail(ErrorCode::kInvalidArgument, "the database belongs to another member");
  }
  WriteBatch batch;
  batch.Put(Column::kRaftState, std::string(kOwnerKey), ByteWriter().U64(options.id).Take());
  return database.Write(batch, Durability::kSynced);
}

}  // namespace

/// Passes the library's lines to the server's log.
class Replica::LibraryLogger final : public raft::Logger {
 public:
  [[nodiscard]] bool Enabled(raft::LogLevel level) const override {
    return static_cast<int>(Translate(level)) >= static_cast<int>(GetLogLevel());
  }
  void Log(raft::LogLevel level, std::string_view text) override {
    LogFromLibrary(Translate(level), "raft", text);
  }

 private:
  static LogLevel Translate(raft::LogLevel level) {
    switch (level) {
      case raft::LogLevel::kDebug:
        return LogLevel::kDebug;
      case raft::LogLevel::kInfo:
        return LogLevel::kInfo;
      case raft::LogLevel::kWarn:
        return LogLevel::kWarn;
      case raft::LogLevel::kError:
      case raft::LogLevel::kFatal:
        return LogLevel::kError;
    }
    return LogLevel::kError;
  }
};

// ---- Opening -------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Replica>> Replica::Open(const GroupOptions& options, Deps deps) {
  const GroupOptions complete = Completed(options);
  if (auto good = CheckOptions(complete); !good) return tl::unexpected(good.error());
  if (auto mine = ClaimDatabase(complete, deps.database); !mine)
    return tl::unexpected(mine.error());
  const uint64_t seed = deps.seed;
  std::unique_ptr<Replica> replica(new Replica(complete, std::move(deps)));
  if (auto loaded = replica->Load(seed); !loaded) return tl::unexpected(loaded.error());
  return replica;
}

Replica::Replica(const GroupOptions& options, Deps deps)
    : options_(options),
      database_(deps.database),
      transport_(deps.transport),
      clock_(deps.clock),
      fatal_(std::move(deps.fatal)),
      proposer_(deps.seed),
      logger_(std::make_unique<LibraryLogger>()),
      sender_(SenderOptions(options), database_, transport_, clock_, deps.seed),
      receiver_(database_),
      lease_(clock_, kVoterPromise - options.drift) {}

Replica::~Replica() = default;

Result<void> Replica::Load(uint64_t seed) {
  auto state = MetaState::Open(database_);
  if (!state) return tl::unexpected(state.error());
  state_.emplace(*std::move(state));
  if (auto clean = receiver_.RemoveLeftovers(state_->generation()); !clean) return clean;
  auto log = RaftLog::Open(database_);
  if (!log) return tl::unexpected(log.error());
  log_ = *std::move(log);
  const StateMark& mark = state_->mark();
  if (mark.applied_index > log_->hard_state().commit ||
      mark.applied_index + 1 < log_->FirstIndex()) {
    return Fail(ErrorCode::kCorrupt, "the applied state and the stored log do not meet");
  }

  raft::Config config;
  config.id = options_.id;
  config.election_tick = options_.election_ticks;
  config.heartbeat_tick = options_.heartbeat_ticks;
  config.storage = log_.get();
  config.random = [rng = std::mt19937_64(seed)](uint64_t bound) mutable { return rng() % bound; };
  config.applied = mark.applied_index;
  config.max_size_per_msg = kMessageBytesMax;
  config.max_committed_size_per_ready = kCommittedBytesMax;
  config.max_inflight_msgs = kInflightMessagesMax;
  config.check_quorum = true;
  config.pre_vote = true;
  config.disable_proposal_forwarding = true;
  config.step_down_on_removal = true;
  config.logger = logger_.get();
  config.fatal = [this](std::string_view text) { Fatal(std::string(text)); };
  auto node = raft::RawNode::Create(std::move(config));
  if (!node) return Fail(ErrorCode::kCorrupt, node.error().context);
  node_ = *std::move(node);
  log_->SetSnapshotMaker(
      [this] { return sender_.Make(state_->mark(), state_->generation(), log_->conf_state()); });
  sender_.OnEnded([this](raft::NodeId to, bool installed) {
    deferred_.emplace_back([this, to, installed] {
      node_->ReportSnapshot(
          to, installed ? raft::SnapshotStatus::kFinish : raft::SnapshotStatus::kFailure);
    });
  });
  return {};
}

void Replica::Start() {
  ReloadMembers();
  removed_ = WasRemoved(options_.id);
  // Before it went down this voter may have promised a leader, by answering its heartbeat, not to elect another for a
  // while. It does not remember, so it keeps the promise from now on.
  const bool has_voted = log_->hard_state().term > kInitialPlace.term;
  votes_from_ = has_voted ? clock_.Monotonic() + BaseTimeout(options_) : Nanos(0);
  const auto& voters = log_->conf_state().voters;
  if (voters.size() == 1 && voters.front() == options_.id) {
    static_cast<void>(node_->Campaign());  // Nobody to wait for. Refused only if it is no voter.
  }
  Publish();
}

// ---- What happens to it --------------------------------------------------------------------------------------------

void Replica::Tick() {
  sender_.Tick();
  removed_ |= transport_.removed();
  if (!removed_) node_->Tick();  // It would only campaign, in vain.
  if (removed_ && !told_removed_) AnnounceRole();
  const Nanos round = std::min<Nanos>(options_.tick * options_.heartbeat_ticks, kLeaseRoundMax);
  if (lead_term_ != 0 && options_.tick * ++ticks_since_round_ >= round) StartLeaseRound();
  if (step_down_at_ && clock_.Monotonic() >= *step_down_at_) ForceStepDown();
  CheckTransfer();
  if (++ticks_to_compaction_ >= kCompactionTicks) {
    ticks_to_compaction_ = 0;
    CompactLog();
  }
}

void Replica::Step(codec::Envelope envelope) {
  ++stats_.messages_in;
  if (envelope.group_id != options_.group_id || envelope.to != options_.id ||
      envelope.from == options_.id || removed_) {
    ++stats_.messages_dropped;
    return;
  }
  NoteHeard(envelope.from);
  if (auto* messages = std::get_if<std::vector<raft::Message>>(&envelope.body)) {
    StepMessages(std::move(*messages));
  } else if (auto* chunk = std::get_if<codec::SnapshotChunk>(&envelope.body)) {
    StepChunk(envelope.from, std::move(*chunk));
  } else {
    sender_.Acknowledge(envelope.from, std::get<codec::SnapshotAck>(envelope.body));
  }
}

void Replica::StepMessages(std::vector<raft::Message> messages) {
  for (raft::Message& message : messages) {
    const bool vote =
        message.type == raft::MessageType::kVote || message.type == raft::MessageType::kPreVote;
    // A hand-over's election is exempt: that leader gave its lease up before it asked for one.
    if (vote && clock_.Monotonic() < votes_from_ && message.context.view() != kTransferCampaign) {
      ++stats_.messages_dropped;
      continue;
    }
    StepOne(std::move(message));
  }
}

void Replica::StepOne(raft::Message message) {
  const auto stepped = node_->Step(std::move(message));
  if (stepped) return;
  // A member that goes on after it lost what it acknowledged may undo what clients were told.
  if (stepped.error().code == raft::ErrorCode::kLogLost) Fatal(stepped.error().context);
  // Hostile, or late: from a member that is gone. Nothing was changed.
  ++stats_.messages_dropped;
  LogDebug("peer message refused", {{"why", stepped.error().context}});
}

void Replica::StepChunk(raft::NodeId from, codec::SnapshotChunk chunk) {
  auto ack = receiver_.Accept(from, chunk, state_->generation());
  if (!ack) Fatal("snapshot cannot be staged: " + ack.error().context);
  if (receiver_.complete() && !chunk.message.empty()) {
    receiver_.Finish(chunk);
    StepOne(std::move(chunk.message.front()));
    HandleReadies();  // Installs it, unless the log has come that far on its own.
    if (auto dropped = receiver_.Drop(); !dropped) {
      Fatal("snapshot cannot be dropped: " + dropped.error().context);
    }
    ack->state = codec::SnapshotAck::State::kInstalled;
  }
  transport_.Send(from,
                  codec::EncodeEnvelope({options_.group_id, options_.id, from, *std::move(ack)}));
}

void Replica::Propose(std::vector<Proposal> proposals) {
  std::vector<raft::Payload> payloads;
  std::vector<Proposal*> accepted;
  for (Proposal& proposal : proposals) {
    ++stats_.proposals;
    if (lead_term_ == 0 || (proposal.fence != 0 && proposal.fence != lead_term_)) {
      ++stats_.proposals_failed;
      proposal.done(Fail(ErrorCode::kNotLeader, kNotLeaderText));
      continue;
    }
    payloads.push_back(raft::Payload::Copy(proposal.bytes));
    accepted.push_back(&proposal);
  }
  if (accepted.empty()) return;
  const auto proposed = node_->ProposeBatch(payloads);
  for (Proposal* proposal : accepted) {
    if (proposed) {
      waiting_bytes_ += proposal->bytes.size();
      waiting_.emplace(proposal->id, Waiting{std::move(proposal->done), proposal->bytes.size()});
    } else {  // The lead is being handed over.
      ++stats_.proposals_failed;
      proposal->done(Fail(ErrorCode::kNotLeader, kNotLeaderText));
    }
  }
}

void Replica::ReportUnreachable(raft::NodeId id) { node_->ReportUnreachable(id); }

void Replica::Stop() {
  lease_.Stop();
  lead_term_ = 0;
  serving_ = false;
  lost_lead_ = false;
  AnnounceRole();
  Publish();
  const Error error{ErrorCode::kTimeout, "the server is stopping; it may still be done"};
  FailProposals(error);
  FinishTransfer(tl::unexpected(error));
}

void Replica::FailProposals(const Error& error) {
  stats_.proposals_failed += waiting_.size();
  waiting_bytes_ = 0;
  for (auto& [id, waiting] : std::exchange(waiting_, {})) waiting.done(tl::unexpected(error));
  for (auto& [id, finished] : std::exchange(changing_, {})) finished(tl::unexpected(error));
}

// ---- One round of work ---------------------------------------------------------------------------------------------

void Replica::HandleReadies() {
  RunDeferred();
  while (node_->HasReady()) {
    HandleReady();
    RunDeferred();
  }
  Publish();
}

void Replica::RunDeferred() {
  for (const auto& action : std::exchange(deferred_, {})) action();
}

void Replica::HandleReady() {
  raft::Ready& ready = node_->GetReady();
  if (ready.soft_state) FollowRole(*ready.soft_state);
  Send(ready.messages, 0, ready.immediate_count);

  WriteBatch batch;
  Applied applied;
  if (ready.snapshot) {
    InstallSnapshot(*ready.snapshot, batch);
    applied.replaced = true;
    applied.index = ready.snapshot->metadata.index;
  }
  log_->Append(ready.entries, batch);
  stats_.entries_appended += ready.entries.size();
  if (ready.hard_state) log_->SetHardState(*ready.hard_state, batch);
  Apply(ready.committed_entries, batch, applied);
  const bool sync = ready.must_sync || ready.snapshot;
  if (!batch.empty()) Write(batch, sync ? Durability::kSynced : Durability::kBuffered);

  Send(ready.messages, ready.immediate_count, ready.messages.size());
  TakeReadStates(ready.read_states);
  Announce(applied);
  node_->Advance();
}

void Replica::Write(const WriteBatch& batch, Durability durability) {
  const Nanos begin = clock_.Monotonic();
  if (auto written = database_.Write(batch, durability); !written) {
    Fatal("the disk failed: " + written.error().context);
  }
  const Nanos took = clock_.Monotonic() - begin;
  ++stats_.batches_written;
  if (durability == Durability::kSynced) {
    ++stats_.batches_synced;
    stats_.sync_total += took;
    stats_.sync_max = std::max(stats_.sync_max, took);
  }
  if (took > options_.slow_disk && lead_term_ != 0) LeaveLead(Leaving::kSlowDisk);
}

void Replica::InstallSnapshot(const raft::Snapshot& snapshot, WriteBatch& batch) {
  const auto& metadata = snapshot.metadata;
  const auto staged = receiver_.complete();
  if (!staged || staged->applied_index != metadata.index) {
    Fatal("a snapshot was accepted whose contents are not here");
  }
  LogInfo("installing a snapshot", {{"index", metadata.index}, {"term", metadata.term}});
  receiver_.Install(state_->generation(), batch);
  log_->Reset({metadata.index, metadata.term}, metadata.conf_state, batch);
  ++stats_.snapshots_installed;
}

void Replica::Apply(const std::vector<raft::Entry>& entries, WriteBatch& batch, Applied& applied) {
  for (const raft::Entry& entry : entries) {
    if (entry.type != raft::EntryType::kNormal) {
      ApplyMembership(entry, batch, applied);
    } else if (!entry.data.empty()) {
      ApplyCommand(entry, batch, applied);
    }
  }
  if (entries.empty()) return;
  applied.index = entries.back().index;
  applied.term = entries.back().term;
  stats_.entries_applied += entries.size();
  state_->MarkApplied(applied.index, applied.term, batch);
}

void Replica::ApplyCommand(const raft::Entry& entry, WriteBatch& batch, Applied& applied) {
  auto command = codec::DecodeCommand(entry.data.view());
  if (!command) Fatal("log entry " + std::to_string(entry.index) + ": " + command.error().context);
  auto result = state_->Apply(command->command, batch, applied.changes);
  if (!result) Fatal("state cannot be changed: " + result.error().context);
  if (command->proposer != proposer_) return;
  const auto waiting = waiting_.find(command->proposal_id);
  if (waiting == waiting_.end()) return;
  applied.results.emplace_back(std::move(waiting->second.done), *std::move(result));
  waiting_bytes_ -= waiting->second.bytes;
  waiting_.erase(waiting);
}

void Replica::Announce(Applied& applied) {
  if (applied.replaced) {
    auto state = MetaState::Open(database_);
    if (!state) Fatal("the installed snapshot cannot be read: " + state.error().context);
    state_.emplace(*std::move(state));
    ReloadMembers();
    for (GroupListener* listener : listeners_) listener->OnStateReplaced(applied.index);
  }
  if (applied.changes.members_changed) ReloadMembers();
  if (lead_term_ != 0 && applied.term == lead_term_ && !serving_) {
    serving_ = true;
    lease_.Open();
  }
  Publish();       // Listeners may look.
  AnnounceStop();  // What is applied may be the next leader's already.
  if (!applied.changes.empty()) {
    for (GroupListener* listener : listeners_) listener->OnApplied(applied.index, applied.changes);
  }
  AnnounceRole();
  for (auto& [done, result] : applied.results) done(std::move(result));
  for (auto& [finished, result] : applied.finished) finished(std::move(result));
}

// ---- Sending -------------------------------------------------------------------------------------------------------

void Replica::Send(std::vector<raft::Message>& messages, size_t begin, size_t end) {
  std::map<raft::NodeId, std::vector<raft::Message>> by_peer;
  for (size_t at = begin; at < end; ++at) {
    raft::Message& message = messages[at];
    if (message.type == raft::MessageType::kSnap) {
      sender_.Start(std::move(message));
      continue;
    }
    // From here on another member may lead at any moment.
    if (message.type == raft::MessageType::kTimeoutNow) LeaveLead(Leaving::kHandOver);
    by_peer[message.to].push_back(std::move(message));
  }
  for (auto& [to, group] : by_peer) SendTo(to, std::move(group));
}

void Replica::SendTo(raft::NodeId to, std::vector<raft::Message> messages) {
  std::vector<raft::Message> together;
  size_t bytes = 0;
  bool sent = true;
  const auto flush = [&] {
    if (together.empty()) return;
    sent &= transport_.Send(to, codec::EncodeEnvelope({options_.group_id, options_.id, to,
                                                       std::exchange(together, {})}));
    bytes = 0;
  };
  for (raft::Message& message : messages) {
    size_t size = 64;
    for (const raft::Entry& entry : message.entries) size += entry.data.size() + 32;
    if (bytes + size > kEnvelopeBytesMax) flush();
    bytes += size;
    together.push_back(std::move(message));
  }
  flush();
  if (!sent && lead_term_ != 0)
    deferred_.emplace_back([this, to] { node_->ReportUnreachable(to); });
}

// ---- Housekeeping --------------------------------------------------------------------------------------------------

void Replica::CompactLog() {
  LogUse use;
  use.first = log_->FirstIndex();
  use.applied = state_->mark().applied_index;
  use.entries = log_->entry_count();
  use.bytes = log_->bytes();
  node_->VisitProgress([&use, this](const raft::ProgressStatus& progress) {
    if (progress.id == options_.id || !progress.recent_active) return;
    const bool snapshot = progress.state == raft::ProgressState::kSnapshot;
    use.healthy_matches.push_back(snapshot ? progress.pending_snapshot : progress.match);
  });
  const LogLimits limits{options_.log_entries_soft, options_.log_bytes_soft,
                         options_.log_bytes_hard, options_.log_entries_kept};
  const raft::LogIndex target = CompactionTarget(use, limits);
  if (target == 0) return;
  WriteBatch batch;
  log_->CompactTo(target, batch);
  Write(batch, Durability::kBuffered);
}

void Replica::ReloadMembers() {
  const auto view = database_.TakeView();
  const auto reader = StateReader::On(*view);
  auto members = reader ? reader->Members() : tl::unexpected(reader.error());
  if (!members) Fatal("members cannot be read: " + members.error().context);
  auto removed = reader->RemovedMembers();
  if (!removed) Fatal("removed members cannot be read: " + removed.error().context);
  std::vector<Transport::Peer> peers;
  for (const Member& member : *members) {
    if (member.id != options_.id) peers.push_back({member.id, member.peer_urls});
  }
  transport_.SetPeers(std::move(peers));
  const MutexLock lock(published_mutex_);
  members_ = *std::move(members);
  removed_members_ = *std::move(removed);
}

void Replica::Publish() {
  const raft::BasicStatus basic = node_->GetBasicStatus();
  LeaderStatus status;
  status.leader_id = leader_;
  status.term = basic.hard_state.term;
  status.is_leader = lead_term_ != 0;
  status.ready = serving_;
  status.lease_end = lease_.end();
  status.applied = state_->mark().applied_index;
  status.committed = basic.hard_state.commit;
  stats_.log_entries = log_->entry_count();
  stats_.log_bytes = log_->bytes();
  stats_.snapshots_sent = sender_.completed();
  stats_.snapshot_bytes_sent = sender_.bytes_sent();
  const MutexLock lock(published_mutex_);
  published_ = status;
  published_stats_ = stats_;
}

LeaderStatus Replica::status() const {
  const MutexLock lock(published_mutex_);
  LeaderStatus status = published_;
  status.lease_end = lease_.end();
  return status;
}

std::vector<Member> Replica::members() const {
  const MutexLock lock(published_mutex_);
  return members_;
}

GroupStats Replica::stats() const {
  const MutexLock lock(published_mutex_);
  return published_stats_;
}

void Replica::Fatal(const std::string& text) const {
  if (fatal_) fatal_(text);
  LogFatal("replication cannot go on", {{"why", text}});
}

}  // namespace pd

#include <algorithm>
#include <iterator>
#include <utility>

#include "raft/describe.h"
#include "raft/src/core.h"

namespace raft {

void Core::BroadcastAppend() {
  for (Progress& progress : tracker_.progress()) {
    if (progress.id() != id()) SendAppend(progress);
  }
}

void Core::BroadcastHeartbeat() {
  const Payload context = HeartbeatContext();
  for (Progress& progress : tracker_.progress()) {
    if (progress.id() == id()) continue;
    // Not beyond what the member is known to have: it may have lost track of the rest.
    const LogIndex commit = std::min(progress.match(), log_.committed());
    Message heartbeat = Make(MessageType::kHeartbeat, progress.id());
    heartbeat.commit = commit;
    heartbeat.context = context;
    Send(std::move(heartbeat));
    progress.SentCommit(commit);
  }
}

// A member that wants a snapshot of all its log is sent no more entries, so that one can catch up with it;
// but only once what it has can be committed without more of its acknowledgements.
bool Core::AwaitsSnapshot(const Progress& progress) const {
  return progress.wanted_snapshot() != 0 && log_.TermAt(progress.match()) == term_;
}

bool Core::MaybeSendAppend(Progress& progress, IfEmpty if_empty) {
  if (progress.paused()) return false;
  if (AwaitsSnapshot(progress)) return MaybeSendSnapshot(progress);
  const LogIndex previous = progress.next() - 1;
  const std::optional<Term> previous_term = log_.TermAt(previous);
  if (!previous_term) return MaybeSendSnapshot(progress);

  // With a full window only an empty append goes out, to learn whether all in it was lost.
  const bool window_full =
      progress.state() == ProgressState::kReplicate && progress.inflights().full();
  const FetchContext context{progress.id(), term_, if_empty == IfEmpty::kSkip};
  if (!window_full && !log_.Prepare(progress.next(), config_.max_size_per_msg, context)) {
    return false;
  }
  std::vector<Entry> entries = TakeBuffer();
  const bool readable =
      window_full || log_.Entries(progress.next(), config_.max_size_per_msg, entries);
  if (!readable || (entries.empty() && if_empty == IfEmpty::kSkip)) {
    GiveBack(std::move(entries));
    return !readable && MaybeSendSnapshot(progress);
  }
  const uint64_t count = entries.size();
  const uint64_t bytes = PayloadSize(entries);
  const Joined joined = JoinQueuedAppend(progress.id(), previous, entries);
  if (joined == Joined::kNothing) {
    QueueAppend(progress.id(), {*previous_term, previous}, std::move(entries));
  }
  // An empty append has no place in the window yet.
  const bool fits = joined == Joined::kEntries ? progress.JoinedEntries(count, bytes)
                                               : progress.SentEntries(count, bytes);
  if (!fits) journal_.Fatal("cannot add into a Full inflights");
  progress.SentCommit(log_.committed());
  return true;
}

void Core::QueueAppend(NodeId to, EntryId previous, std::vector<Entry> entries) {
  if (config_.batch_append) {
    queued_appends_.push_back({to, messages_.size(), EncodedSize(entries)});
  }
  Message append = Make(MessageType::kApp, to);
  append.index = previous.index;
  append.log_term = previous.term;
  append.commit = log_.committed();
  append.entries = std::move(entries);
  Send(std::move(append));
}

Core::Joined Core::JoinQueuedAppend(NodeId to, LogIndex previous, std::vector<Entry>& entries) {
  const auto queued = std::find_if(queued_appends_.rbegin(), queued_appends_.rend(),
                                   [to](const QueuedAppend& append) { return append.to == to; });
  if (queued == queued_appends_.rend()) return Joined::kNothing;
  Message& append = messages_[queued->at];
  if (append.index + append.entries.size() != previous) return Joined::kNothing;
  const uint64_t bytes = EncodedSize(entries);
  if (!entries.empty() && queued->bytes + bytes > config_.max_size_per_msg) return Joined::kNothing;
  const Joined joined = append.entries.empty() ? Joined::kEmpty : Joined::kEntries;
  queued->bytes += bytes;
  append.commit = log_.committed();
  append.entries.insert(append.entries.end(), std::make_move_iterator(entries.begin()),
                        std::make_move_iterator(entries.end()));
  GiveBack(std::move(entries));
  return joined;
}

bool Core::MaybeSendSnapshot(Progress& progress) {
  if (!progress.recent_active()) {
    journal_.Debug("ignore sending snapshot to {:x} since it is not recently active",
                   progress.id());
    return false;
  }
  Result<SnapshotPtr> snapshot = log_.SnapshotToSend(
      std::max(progress.wanted_snapshot(), AwaitsSnapshot(progress) ? progress.match() : 0),
      progress.id());
  if (!snapshot) {
    if (snapshot.error().code == ErrorCode::kSnapshotUnavailable) {
      journal_.Debug(
          "{:x} failed to send snapshot to {:x} because snapshot is temporarily unavailable", id(),
          progress.id());
      return false;
    }
    journal_.Fatal("unexpected error ({})", snapshot.error().context);
  }
  if (*snapshot == nullptr || (*snapshot)->empty()) journal_.Fatal("need non-empty snapshot");
  const SnapshotMetadata& metadata = (*snapshot)->metadata;
  journal_.Debug(
      "{:x} [firstindex: {}, commit: {}] sent snapshot[index: {}, term: {}] to {:x} [{}]", id(),
      log_.FirstIndex(), log_.committed(), metadata.index, metadata.term, progress.id(),
      Describe(progress.status()));
  progress.BecomeSnapshot(metadata.index);
  journal_.Debug("{:x} paused sending replication messages to {:x} [{}]", id(), progress.id(),
                 Describe(progress.status()));
  Message message = Make(MessageType::kSnap, progress.id());
  message.snapshot = std::move(*snapshot);
  Send(std::move(message));
  return true;
}

bool Core::MaybeCommit() { return log_.MaybeCommit({term_, tracker_.Committed()}); }

void Core::EnableGroupCommit(bool on) {
  tracker_.set_group_commit(on);
  CommitByOtherRule();
}

void Core::AssignCommitGroups(std::span<const CommitGroup> groups) {
  for (const CommitGroup& group : groups) {
    if (Progress* progress = tracker_.Find(group.member)) progress->set_commit_group(group.group);
  }
  CommitByOtherRule();
}

void Core::ClearCommitGroups() {
  for (Progress& progress : tracker_.progress()) progress.set_commit_group(0);
  CommitByOtherRule();
}

// What is committed stays so under whatever rule; another may commit more.
void Core::CommitByOtherRule() {
  if (!leads() || !MaybeCommit()) return;
  ReleasePostponedReads();
  BroadcastAppend();
}

std::optional<bool> Core::IsCommittedByGroups() const {
  // Before it has applied an entry of its own term a leader may not know the membership.
  if (!leads() || log_.TermAt(log_.applied()) != term_) return std::nullopt;
  const GroupCommit committed = tracker_.CommittedByGroups();
  return committed.by_groups && committed.index == log_.committed();
}

void Core::OnAppendResponse(const Message& message, Progress& progress) {
  progress.set_recent_active(true);
  if (message.reject) {
    OnAppendRefused(message, progress);
  } else {
    OnAppendAccepted(message, progress);
  }
}

// The follower's log does not hold the entry before the append. It hints at the last place where
// the logs may meet: the last of its entries whose term is not above that of the refused entry.
// Where this leader's log has at that place a term above the follower's, all of that term cannot
// match either, so both sides skip whole terms and a probe costs one round a term in the worst
// case.
void Core::OnAppendRefused(const Message& message, Progress& progress) {
  journal_.Debug(
      "{:x} received MsgAppResp(rejected, hint: (index {}, term {})) from {:x} for index {}", id(),
      message.reject_hint, message.log_term, message.from, message.index);
  if (message.request_snapshot != 0) {
    OnSnapshotWanted(message.request_snapshot, progress);
    return;
  }
  LogIndex probe = message.reject_hint;
  if (message.log_term > 0) {
    probe = log_.FindConflictByTerm(probe, message.log_term).index;
  }
  if (!progress.MaybeDecreaseTo(message.index, probe)) return;
  journal_.Debug("{:x} decreased progress of {:x} to [{}]", id(), message.from,
                 Describe(progress.status()));
  if (progress.state() == ProgressState::kReplicate) progress.BecomeProbe();
  SendAppend(progress);
}

void Core::OnSnapshotWanted(LogIndex index, Progress& progress) {
  // Late, or of a log that is longer than this one and will be cut. Who wants it asks again.
  if (index < progress.match() || index > log_.LastIndex()) return;
  progress.WantSnapshot(index);
  SendAppend(progress);
}

void Core::OnAppendAccepted(const Message& message, Progress& progress) {
  // A probe that was told what it knows is a sign of life, too: the logs meet.
  const bool confirmed =
      progress.match() == message.index && progress.state() == ProgressState::kProbe;
  if (!progress.MaybeUpdate(message.index) && !confirmed) return;
  const bool is_self = message.from == id();
  switch (progress.state()) {
    case ProgressState::kProbe:
      // Who wants a snapshot is not sent more than is needed.
      if (progress.wanted_snapshot() == 0) progress.BecomeReplicate();
      break;
    case ProgressState::kSnapshot:
      // However it got there: the log can take it on from here.
      if (progress.match() + 1 < log_.FirstIndex() || progress.awaits_wanted_snapshot()) break;
      journal_.Debug(
          "{:x} recovered from needing snapshot, resumed sending replication messages to {:x} [{}]",
          id(), message.from, Describe(progress.status()));
      progress.BecomeProbe();
      progress.BecomeReplicate();
      break;
    case ProgressState::kReplicate:
      progress.FreeInflightsTo(message.index);
      break;
  }
  if (MaybeCommit()) {
    ReleasePostponedReads();
    if (AnnouncesCommit()) BroadcastAppend();
  } else if (!is_self && AnnouncesCommit() && progress.CanBumpCommit(log_.committed())) {
    SendAppend(progress);
  }
  if (is_self) return;
  // More room in the window, or a state that may send more than one.
  SendAppendsAsFarAsTheyGo(progress);
  if (message.from == lead_transferee_ && progress.match() == log_.LastIndex()) {
    journal_.Info("{:x} sent MsgTimeoutNow to {:x} after received MsgAppResp", id(), message.from);
    SendTimeoutNow(message.from);
  }
}

void Core::SendAppendsAsFarAsTheyGo(Progress& progress) {
  while (MaybeSendAppend(progress, IfEmpty::kSkip)) {
  }
}

void Core::OnEntriesFetched(const FetchContext& context) {
  if (!leads() || term_ != context.term || context.to == id()) return;
  Progress* progress = tracker_.Find(context.to);
  if (progress == nullptr) return;
  if (context.aggressively) {
    SendAppendsAsFarAsTheyGo(*progress);
  } else {
    SendAppend(*progress);
  }
}

// For a whole heartbeat nothing has been committed without this member, though there was something.
bool Core::NeedsWhoAwaitsSnapshot(const Progress& progress) const {
  return AwaitsSnapshot(progress) && progress.wanted_for_long() &&
         log_.committed() <= progress.match() && log_.committed() < log_.LastIndex();
}

void Core::OnHeartbeatResponse(const Message& message, Progress& progress) {
  progress.set_recent_active(true);
  progress.ResumeFlow();
  progress.AgeWantedSnapshot();
  if (NeedsWhoAwaitsSnapshot(progress)) progress.RefuseSnapshots();
  if (progress.match() < log_.LastIndex() || progress.state() == ProgressState::kProbe) {
    SendAppend(progress);
  }
  if (!message.context.empty()) OnHeartbeatContext(message.from, message.context.view());
}

}  // namespace raft

// Members come, change their role, and go: one at a time.

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "pd/fsm/layout.h"
#include "pd/log/log.h"
#include "pd/replication/replica.h"
#include "pd/storage/bytes.h"
#include "pd/storage/raft_log.h"
#include "raft/conf_change.h"

namespace pd {
namespace {

// Texts of etcd, which the reference passes on.
constexpr const char* kTextIdExists = "etcdserver: ID already exists";
constexpr const char* kTextUrlsExist = "etcdserver: Peer URLs already exists";
constexpr const char* kTextNotFound = "etcdserver: member not found";
constexpr const char* kTextUnhealthy = "etcdserver: unhealthy cluster";
constexpr const char* kTextNotLearner = "etcdserver: can only promote a learner member";
constexpr const char* kTextNotReady =
    "etcdserver: can only promote a learner member which is in sync with leader";

/// What a membership entry carries beside the change: who waits, and the member's record.
struct ChangeContext {
  uint64_t proposer = 0;
  uint64_t id = 0;
  std::optional<Member> member;
};

raft::Payload Encode(uint64_t proposer, uint64_t id, const Member& member) {
  return raft::Payload::Copy(
      ByteWriter().U64(proposer).U64(id).Raw(layout::EncodeMember(member)).Take());
}

ChangeContext Decode(std::string_view bytes) {
  ByteReader in(bytes);
  ChangeContext context;
  context.proposer = in.U64();
  context.id = in.U64();
  if (in.AtEnd()) return context;
  if (auto member = layout::DecodeMember(in.Rest())) context.member = *std::move(member);
  return context;
}

raft::Entry MakeEntry(raft::ConfChangeType type, const Member& member) {
  raft::ConfChange change;
  change.type = type;
  change.node_id = member.id;
  change.context = Encode(0, 0, member);  // Nobody waits for it.
  raft::Entry entry;
  entry.type = raft::EntryType::kConfChange;
  entry.data = raft::Encode(change);
  return entry;
}

/// What a log says of who belongs to the group: all that are or may come in, and the entries to keep, which end before
/// a removal of `id` that is not known to be committed.
struct Membership {
  std::set<raft::NodeId> others;
  raft::LogIndex keep = 0;
};

Result<Membership> ReadMembership(const RaftLog& log, raft::LogIndex applied, raft::NodeId id) {
  const raft::ConfState& state = log.conf_state();
  Membership found;
  for (const auto* ids : {&state.voters, &state.learners, &state.voters_outgoing}) {
    found.others.insert(ids->begin(), ids->end());
  }
  for (found.keep = applied; found.keep < log.LastIndex(); ++found.keep) {
    std::vector<raft::Entry> one;
    const raft::LogIndex index = found.keep + 1;
    if (auto read = log.GetEntries(index, index + 1, UINT64_MAX, one); !read) {
      return Fail(ErrorCode::kIo, read.error().context);
    }
    if (one.front().type == raft::EntryType::kNormal) continue;
    const auto change = raft::DecodeConfChange(one.front());
    if (!change) return Fail(ErrorCode::kCorrupt, change.error().context);
    for (const raft::ConfChangeSingle& single : change->changes) {
      found.others.insert(single.node_id);
      if (single.node_id != id || single.type != raft::ConfChangeType::kRemoveNode) continue;
      if (index <= log.hard_state().commit) return Fail(ErrorCode::kNotFound, kTextNotFound);
      return found;
    }
  }
  return found;
}

const Member* Find(const std::vector<Member>& members, raft::NodeId id) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [id](const Member& member) { return member.id == id; });
  return found == members.end() ? nullptr : &*found;
}

}  // namespace

Result<void> RaftGroup::ForceAlone(Database& database, raft::NodeId id) {
  const auto view = database.TakeView();
  const auto reader = StateReader::On(*view);
  if (!reader) return tl::unexpected(reader.error());
  const auto members = reader->Members();
  if (!members) return tl::unexpected(members.error());
  const Member* self = Find(*members, id);
  if (self == nullptr) return Fail(ErrorCode::kNotFound, kTextNotFound);
  const auto log = RaftLog::Open(database);
  if (!log) return tl::unexpected(log.error());
  RaftLog& entries = **log;
  auto membership = ReadMembership(entries, reader->mark().applied_index, id);
  if (!membership) return tl::unexpected(membership.error());
  membership->others.erase(id);
  membership->others.erase(raft::kNoNode);
  if (membership->others.empty()) return {};

  // Entries of this member's own making that count as committed: no quorum is there to agree.
  std::vector<raft::Entry> forced;
  Member voter = *self;
  voter.is_learner = false;
  if (self->is_learner) forced.push_back(MakeEntry(raft::ConfChangeType::kAddNode, voter));
  for (const raft::NodeId other : membership->others) {
    Member gone;
    gone.id = other;
    forced.push_back(MakeEntry(raft::ConfChangeType::kRemoveNode, gone));
  }
  raft::HardState hard = entries.hard_state();
  hard.commit = membership->keep;
  for (raft::Entry& entry : forced) {
    entry.index = ++hard.commit;
    entry.term = hard.term;
  }
  LogWarn("forcing a group of one", {{"member-id", id},
                                     {"others", membership->others.size()},
                                     {"entries-kept", membership->keep}});
  WriteBatch batch;
  entries.Append(forced, batch);
  entries.SetHardState(hard, batch);
  return database.Write(batch, Durability::kSynced);
}

void Replica::Change(MembershipChange change) {
  if (auto good = CheckChange(change); !good) {
    change.finished(std::move(good));
    return;
  }
  const uint64_t id = next_change_++;
  raft::ConfChange entry;
  entry.id = id;
  entry.type = change.type;
  entry.node_id = change.member.id;
  entry.context = Encode(proposer_, id, change.member);
  if (auto proposed = node_->ProposeConfChange(entry); !proposed) {
    change.finished(Fail(ErrorCode::kNotLeader, "not leader"));
    return;
  }
  changing_.emplace(id, std::move(change.finished));
}

/// The library turns a change that it cannot start into an empty entry, without a word. That never happens here: a
/// serving leader has applied all changes of earlier terms, and lets one through at a time.
Result<void> Replica::CheckChange(const MembershipChange& change) const {
  if (!serving_) return Fail(ErrorCode::kNotLeader, "not leader");
  if (!changing_.empty()) {
    return Fail(ErrorCode::kUnavailable, "another membership change is under way");
  }
  const raft::NodeId id = change.member.id;
  if (change.type == raft::ConfChangeType::kRemoveNode) return CheckRemove(id);
  const std::vector<Member> known = members();
  const Member* member = Find(known, id);
  const bool promote = change.type == raft::ConfChangeType::kAddNode && member != nullptr &&
                       change.member.peer_urls == member->peer_urls;
  return promote ? CheckPromote(*member) : CheckAdd(change);
}

Result<void> Replica::CheckAdd(const MembershipChange& change) const {
  if (change.member.id == raft::kNoNode || change.member.peer_urls.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "a member needs an id and a peer address");
  }
  for (const Member& member : members()) {
    if (member.id == change.member.id) return Fail(ErrorCode::kAlreadyExists, kTextIdExists);
    for (const std::string& url : change.member.peer_urls) {
      if (std::count(member.peer_urls.begin(), member.peer_urls.end(), url) != 0) {
        return Fail(ErrorCode::kAlreadyExists, kTextUrlsExist);
      }
    }
  }
  const auto view = database_.TakeView();
  const auto reader = StateReader::On(*view);
  if (!reader) return tl::unexpected(reader.error());
  const auto was_removed = reader->MemberRemoved(change.member.id);
  if (!was_removed) return tl::unexpected(was_removed.error());
  if (*was_removed) {
    return Fail(ErrorCode::kInvalidArgument, "a removed member cannot come back under its old id");
  }
  // A new voter counts before it runs: those that run must make a quorum without it.
  const size_t voters = log_->conf_state().voters.size() + 1;
  const bool voter = change.type == raft::ConfChangeType::kAddNode;
  if (voter && voters > 2 && ActiveVoters().size() < voters / 2 + 1) {
    return Fail(ErrorCode::kUnavailable, kTextUnhealthy);
  }
  return {};
}

Result<void> Replica::CheckPromote(const Member& known) const {
  if (!known.is_learner) return Fail(ErrorCode::kInvalidArgument, kTextNotLearner);
  raft::LogIndex mine = 0;
  raft::LogIndex match = 0;
  bool active = false;
  node_->VisitProgress([&](const raft::ProgressStatus& progress) {
    if (progress.id == options_.id) mine = progress.match;
    if (progress.id != known.id) return;
    match = progress.match;
    active = IsActive(progress);
  });
  if (!active || match < mine - mine / 10) return Fail(ErrorCode::kUnavailable, kTextNotReady);
  return {};
}

Result<void> Replica::CheckRemove(raft::NodeId id) const {
  const std::vector<Member> known = members();
  const Member* member = Find(known, id);
  if (member == nullptr) return Fail(ErrorCode::kNotFound, kTextNotFound);
  if (member->is_learner) return {};
  std::vector<raft::NodeId> active = ActiveVoters();
  std::erase(active, id);
  const size_t voters = log_->conf_state().voters.size() - 1;
  if (voters == 0 || active.size() < voters / 2 + 1) {
    return Fail(ErrorCode::kUnavailable, kTextUnhealthy);
  }
  return {};
}

/// Voters heard of in the last election timeout, this one included.
std::vector<raft::NodeId> Replica::ActiveVoters() const {
  std::vector<raft::NodeId> active;
  node_->VisitProgress([&](const raft::ProgressStatus& progress) {
    if (progress.is_learner) return;
    if (IsActive(progress) || progress.id == options_.id) active.push_back(progress.id);
  });
  return active;
}

void Replica::NoteHeard(raft::NodeId from) {
  const raft::ConfState& members = log_->conf_state();
  for (const auto* ids : {&members.voters, &members.learners}) {
    if (std::count(ids->begin(), ids->end(), from) != 0) heard_[from] = clock_.Monotonic();
  }
}

/// The library forgets whom it heard of at each of its checks of the quorum; for a moment after one nobody would be
/// active.
bool Replica::IsActive(const raft::ProgressStatus& progress) const {
  if (progress.recent_active) return true;
  const auto heard = heard_.find(progress.id);
  return heard != heard_.end() &&
         clock_.Monotonic() - heard->second < options_.tick * options_.election_ticks;
}

bool Replica::IsMember(raft::NodeId id) const {
  const MutexLock lock(published_mutex_);
  return Find(members_, id) != nullptr;
}

bool Replica::WasRemoved(raft::NodeId id) const {
  const MutexLock lock(published_mutex_);
  return std::ranges::binary_search(removed_members_, id);
}

void Replica::ApplyMembership(const raft::Entry& entry, WriteBatch& batch, Applied& applied) {
  const auto change = raft::DecodeConfChange(entry);
  if (!change) Fatal("membership entry does not decode: " + change.error().context);
  const ChangeContext context = Decode(change->context.view());
  const auto membership = node_->ApplyConfChange(*change);
  Result<void> result;
  if (membership) {
    log_->SetConfState(*membership, batch);
    lease_.SetSoleVoter(IsSoleVoter());
    for (const raft::ConfChangeSingle& single : change->changes) {
      if (single.type == raft::ConfChangeType::kRemoveNode) {
        state_->RemoveMember(single.node_id, batch, applied.changes);
        removed_ |= single.node_id == options_.id;
      } else if (context.member && context.member->id == single.node_id) {
        Member member = *context.member;
        member.is_learner = single.type == raft::ConfChangeType::kAddLearnerNode;
        state_->PutMember(member, batch, applied.changes);
      }
    }
    LogInfo("membership changes",
            {{"voters", membership->voters.size()}, {"learners", membership->learners.size()}});
  } else {
    result = Fail(ErrorCode::kUnavailable, membership.error().context);
  }
  if (context.proposer != proposer_) return;
  const auto waiting = changing_.find(context.id);
  if (waiting == changing_.end()) return;
  applied.finished.emplace_back(std::move(waiting->second), std::move(result));
  changing_.erase(waiting);
}

}  // namespace pd

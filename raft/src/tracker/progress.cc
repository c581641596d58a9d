#include "raft/src/tracker/progress.h"

namespace raft {
namespace {

// Answers to heartbeats after which a wish that is not repeated is forgotten.
constexpr int kWantedRounds = 3;
// And during which none is heard, as the group needs the member's acknowledgements.
constexpr int kRefusedRounds = 10;

}  // namespace

void Progress::Enter(ProgressState state) {
  state_ = state;
  flow_paused_ = false;
  pending_snapshot_ = 0;
  inflights_.Clear();
}

void Progress::Reset(LogIndex last_index, bool is_self) {
  Enter(ProgressState::kProbe);
  wanted_snapshot_ = 0;
  wanted_pause_ = 0;
  match_ = is_self ? last_index : 0;
  next_ = last_index + 1;
  sent_last_ = 0;
  sent_commit_ = 0;
  recent_active_ = false;
}

void Progress::BecomeProbe() {
  // A member that got the snapshot goes on behind it, though its acknowledgement may yet come.
  const LogIndex behind_snapshot =
      state_ == ProgressState::kSnapshot ? pending_snapshot_ + 1 : match_ + 1;
  Enter(ProgressState::kProbe);
  next_ = std::max(match_ + 1, behind_snapshot);
  sent_commit_ = std::min(sent_commit_, next_ - 1);
}

void Progress::BecomeReplicate() {
  Enter(ProgressState::kReplicate);
  next_ = match_ + 1;
}

void Progress::BecomeSnapshot(LogIndex index) {
  Enter(ProgressState::kSnapshot);
  snapshot_wanted_ = wanted_snapshot_ != 0;
  wanted_snapshot_ = 0;
  pending_snapshot_ = index;
  next_ = index + 1;
  sent_commit_ = index;
}

void Progress::WantSnapshot(LogIndex index) {
  if (wanted_pause_ > 0) return;
  if (state_ == ProgressState::kSnapshot && index <= pending_snapshot_) return;
  if (state_ == ProgressState::kReplicate) BecomeProbe();
  if (wanted_snapshot_ == 0) wanted_age_ = 0;
  // What is under way lengthens the member's log, which the snapshot has to cover.
  wanted_snapshot_ = std::max({index, wanted_snapshot_, sent_last_});
  wanted_rounds_ = kWantedRounds;
  flow_paused_ = false;
}

void Progress::RefuseSnapshots() {
  wanted_snapshot_ = 0;
  wanted_pause_ = kRefusedRounds;
}

void Progress::AgeWantedSnapshot() {
  if (wanted_pause_ > 0) --wanted_pause_;
  ++wanted_age_;
  if (wanted_snapshot_ != 0 && --wanted_rounds_ == 0) wanted_snapshot_ = 0;
}

bool Progress::MaybeUpdate(LogIndex index) {
  if (index <= match_) return false;
  match_ = index;
  next_ = std::max(next_, index + 1);
  flow_paused_ = false;
  return true;
}

bool Progress::MaybeDecreaseTo(LogIndex rejected, LogIndex hint) {
  if (state_ == ProgressState::kReplicate) {
    // Appends were sent ahead: any refusal behind match is genuine, and match is where to go back
    // to.
    if (rejected <= match_) return false;
    next_ = match_ + 1;
  } else {
    // One append at a time: the refusal must be of that one.
    if (next_ - 1 != rejected) return false;
    const LogIndex behind_hint = hint < rejected ? hint + 1 : rejected;
    next_ = std::max(behind_hint, match_ + 1);
    flow_paused_ = false;
  }
  sent_commit_ = std::min(sent_commit_, next_ - 1);
  return true;
}

bool Progress::SentEntries(uint64_t count, uint64_t bytes) {
  sent_last_ = std::max(sent_last_, next_ + count - 1);
  if (state_ == ProgressState::kProbe) {
    if (count > 0) flow_paused_ = true;
    return true;
  }
  if (count > 0) {
    next_ += count;
    if (!inflights_.Add(next_ - 1, bytes)) return false;
  }
  flow_paused_ = inflights_.full();
  return true;
}

bool Progress::JoinedEntries(uint64_t count, uint64_t bytes) {
  const bool extended = state_ == ProgressState::kReplicate && count > 0 &&
                        inflights_.Extend(next_ + count - 1, bytes);
  if (!extended) return SentEntries(count, bytes);
  next_ += count;
  sent_last_ = std::max(sent_last_, next_ - 1);
  flow_paused_ = inflights_.full();
  return true;
}

ProgressStatus Progress::status() const {
  ProgressStatus status;
  status.id = id_;
  status.match = match_;
  status.next = next_;
  status.state = state_;
  status.pending_snapshot = pending_snapshot_;
  status.recent_active = recent_active_;
  status.paused = paused();
  status.is_learner = is_learner_;
  status.inflight_count = inflights_.count();
  status.inflight_full = inflights_.full();
  return status;
}

}  // namespace raft

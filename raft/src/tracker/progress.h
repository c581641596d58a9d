#pragma once

#include <algorithm>

#include "raft/src/tracker/inflights.h"
#include "raft/status.h"

namespace raft {

/// What the leader knows of one member, and when it may send to it.
///
/// Invariants: match < next. In kReplicate entries in (match, next) are under way. In kSnapshot the
/// member is paused; in kProbe it is paused from a non-empty append until an answer or a
/// heartbeat's.
class Progress {
 public:
  Progress(NodeId id, LogIndex next, const Inflights& inflights)
      : id_(id), next_(next), inflights_(inflights) {}

  NodeId id() const { return id_; }
  LogIndex match() const { return match_; }
  LogIndex next() const { return next_; }
  ProgressState state() const { return state_; }
  LogIndex pending_snapshot() const { return pending_snapshot_; }
  LogIndex wanted_snapshot() const { return wanted_snapshot_; }
  bool recent_active() const { return recent_active_; }
  bool is_learner() const { return is_learner_; }
  uint64_t commit_group() const { return commit_group_; }
  const Inflights& inflights() const { return inflights_; }

  /// Back to the start, as a new leader knows nothing of anybody.
  void Reset(LogIndex last_index, bool is_self);

  void BecomeProbe();
  void BecomeReplicate();
  void BecomeSnapshot(LogIndex index);

  /// The member acknowledged up to `index`. False if that is no news.
  bool MaybeUpdate(LogIndex index);

  /// The member refused the append behind `rejected`; the logs may meet at `hint`. False if the
  /// refusal is stale; else next moved back. In (match, next) nothing may be taken for granted
  /// then.
  bool MaybeDecreaseTo(LogIndex rejected, LogIndex hint);

  /// The member asks for a snapshot at `index` or later. No effect while one is on its way that is.
  void WantSnapshot(LogIndex index);
  /// For a whole heartbeat at least.
  bool wanted_for_long() const { return wanted_age_ > 1; }
  /// For a while no wish is heard.
  void RefuseSnapshots();

  /// True in kSnapshot when the member asked for it: entries would make its log longer than the snapshot.
  bool awaits_wanted_snapshot() const {
    return state_ == ProgressState::kSnapshot && snapshot_wanted_;
  }

  /// The member answered a heartbeat. Who still wants a snapshot says so again with each.
  void AgeWantedSnapshot();

  /// An append of `count` entries went out. False if there was no room for it in the window.
  [[nodiscard]] bool SentEntries(uint64_t count, uint64_t bytes);

  /// The same, where they joined the newest append.
  [[nodiscard]] bool JoinedEntries(uint64_t count, uint64_t bytes);

  void SentCommit(LogIndex commit) { sent_commit_ = commit; }

  /// True if the member could commit more, were it told that the group committed `commit`: it has,
  /// or will have, entries beyond what it was told.
  bool CanBumpCommit(LogIndex commit) const {
    return commit > sent_commit_ && sent_commit_ < next_ - 1;
  }

  bool paused() const { return state_ == ProgressState::kSnapshot || flow_paused_; }
  void PauseFlow() { flow_paused_ = true; }
  void ResumeFlow() { flow_paused_ = false; }

  void FreeInflightsTo(LogIndex index) { inflights_.FreeTo(index); }
  /// Changes how many appends may be under way; 0 stops them. Those already sent are not taken back.
  void SetInflightMax(uint64_t count) {
    inflights_.SetCapacity(count);
    if (state_ == ProgressState::kReplicate) flow_paused_ = inflights_.full();
  }
  void ForgetPendingSnapshot() { pending_snapshot_ = 0; }
  void set_recent_active(bool active) { recent_active_ = active; }
  void set_is_learner(bool is_learner) { is_learner_ = is_learner; }
  void set_commit_group(uint64_t group) { commit_group_ = group; }
  void set_match(LogIndex match) { match_ = match; }

  ProgressStatus status() const;

 private:
  void Enter(ProgressState state);

  NodeId id_;
  LogIndex match_ = 0;
  LogIndex next_;
  LogIndex sent_last_ = 0;    // The highest index of an entry that the member was sent.
  LogIndex sent_commit_ = 0;  // The highest commit index the member was told, or may have been.
  LogIndex pending_snapshot_ = 0;
  LogIndex wanted_snapshot_ = 0;
  int wanted_rounds_ = 0;  // Until it is forgotten.
  int wanted_age_ = 0;     // In answers to heartbeats.
  int wanted_pause_ = 0;
  bool snapshot_wanted_ = false;  // In kSnapshot.
  uint64_t commit_group_ = 0;     // 0: in none.
  ProgressState state_ = ProgressState::kProbe;
  bool flow_paused_ = false;
  bool recent_active_ = false;
  bool is_learner_ = false;
  Inflights inflights_;
};

}  // namespace raft

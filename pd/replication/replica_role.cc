// Who leads: the lease, taking and leaving the lead, hand-overs.

#include <algorithm>
#include <utility>

#include "pd/log/log.h"
#include "pd/replication/replica.h"
#include "pd/storage/bytes.h"

namespace pd {
namespace {

constexpr const char* kInDoubtText =
    "the lead was lost before the proposal was committed; it may still be done";

constexpr raft::LogIndex kSuccessorLagMax = 1000;

}  // namespace

void Replica::FollowRole(const raft::SoftState& soft) {
  const raft::Term term = node_->GetBasicStatus().hard_state.term;
  const raft::Term leads = soft.role == raft::Role::kLeader ? term : 0;
  leader_ = soft.leader;
  if (leads == lead_term_) return;
  if (lead_term_ != 0) {
    lease_.Stop();
    sender_.Clear();
    lost_lead_ = true;
  }
  lead_term_ = leads;
  serving_ = false;
  step_down_at_.reset();
  if (leads == 0) return;
  lease_.StartTerm(leads);
  lease_.SetSoleVoter(IsSoleVoter());
  deferred_.emplace_back([this] { StartLeaseRound(); });
}

void Replica::AnnounceStop() {
  if (started_term_ != 0 && started_term_ != lead_term_) {
    const raft::Term stopped = std::exchange(started_term_, 0);
    LogInfo("leader services stop", {{"term", stopped}});
    for (GroupListener* listener : listeners_) listener->OnLeaderStop(stopped);
  }
}

void Replica::AnnounceRole() {
  AnnounceStop();
  if (std::exchange(lost_lead_, false)) FailProposals({ErrorCode::kTimeout, kInDoubtText});
  const raft::Term term = node_->GetBasicStatus().hard_state.term;
  if (leader_ != told_leader_ || (leader_ != raft::kNoNode && term != told_leader_term_)) {
    told_leader_ = leader_;
    told_leader_term_ = term;
    if (leader_ != raft::kNoNode) ++stats_.leader_changes;
    for (GroupListener* listener : listeners_) listener->OnLeaderChange(leader_, term);
  }
  if (serving_ && started_term_ == 0) {
    started_term_ = lead_term_;
    LogInfo("leader services start", {{"term", started_term_}});
    for (GroupListener* listener : listeners_) listener->OnLeaderStart(started_term_);
  }
  if (removed_ && !std::exchange(told_removed_, true)) {
    LogWarn("this member was removed from the group");
    for (GroupListener* listener : listeners_) listener->OnRemoved();
  }
  CheckTransfer();
}

// ---- The lease -----------------------------------------------------------------------------------------------------

bool Replica::IsSoleVoter() const {
  const raft::ConfState& members = log_->conf_state();
  return members.voters == std::vector{options_.id} && members.voters_outgoing.empty();
}

// A read index does what the lease needs: the library answers it once a quorum has acknowledged heartbeats that were
// sent after the call.
void Replica::StartLeaseRound() {
  ticks_since_round_ = 0;
  if (lead_term_ == 0 || lease_.given_up()) return;
  const uint64_t round = lease_.StartRound();
  node_->ReadIndex(raft::Payload::Copy(ByteWriter().U64(lead_term_).U64(round).Take()));
}

void Replica::TakeReadStates(const std::vector<raft::ReadState>& states) {
  for (const raft::ReadState& state : states) {
    ByteReader context(state.context.view());
    const raft::Term term = context.U64();
    const uint64_t round = context.U64();
    if (context.Complete()) lease_.Acknowledge(term, round);
  }
}

// ---- Leaving the lead ----------------------------------------------------------------------------------------------

/// The lease goes first and does not come back in this term: the election that follows ignores it, whenever it happens.
void Replica::LeaveLead(Leaving why) {
  const bool alone = log_->conf_state().voters.size() < 2;
  if (lead_term_ == 0 || lease_.given_up() || alone) return;
  lease_.GiveUp();
  step_down_at_ = clock_.Monotonic() + options_.tick * options_.election_ticks;
  if (why == Leaving::kHandOver) {
    LogInfo("handing the lead over", {{"term", lead_term_}});
    return;
  }
  LogWarn("a write to disk took too long: leaving the lead", {{"term", lead_term_}});
  deferred_.emplace_back([this] {
    if (const raft::NodeId successor = BestSuccessor(); successor != raft::kNoNode) {
      node_->TransferLeader(successor);
    }
  });
}

/// Without its lease a leader is of no use: if nobody has taken over, let there be an election. The library steps down
/// for a message of a higher term, so it is given one.
void Replica::ForceStepDown() {
  step_down_at_.reset();
  if (lead_term_ == 0) return;
  LogWarn("nobody took the lead over: stepping down", {{"term", lead_term_}});
  raft::Message message;
  message.type = raft::MessageType::kHeartbeatResp;
  message.to = options_.id;
  message.term = lead_term_ + 1;
  for (const raft::NodeId voter : log_->conf_state().voters) {
    if (voter != options_.id) message.from = voter;
  }
  StepOne(std::move(message));
}

/// What it lacks can be sent in much less than an election timeout, while timestamps stand still.
bool Replica::HasMostOfLog(const raft::ProgressStatus& progress) const {
  return progress.state != raft::ProgressState::kSnapshot &&
         progress.match + kSuccessorLagMax >= log_->LastIndex();
}

/// The live voter that has most of the log; none if there is no other.
raft::NodeId Replica::BestSuccessor() const {
  raft::NodeId best = raft::kNoNode;
  raft::LogIndex best_match = 0;
  node_->VisitProgress([&](const raft::ProgressStatus& progress) {
    if (progress.id == options_.id || progress.is_learner) return;
    if (!IsActive(progress) || !HasMostOfLog(progress)) return;
    if (best != raft::kNoNode && progress.match <= best_match) return;
    best = progress.id;
    best_match = progress.match;
  });
  return best;
}

Result<void> Replica::CheckSuccessor(raft::NodeId target) const {
  const auto& voters = log_->conf_state().voters;
  if (lead_term_ == 0) return Fail(ErrorCode::kNotLeader, "not leader");
  if (target == options_.id) return {};
  if (target == raft::kNoNode) {
    if (BestSuccessor() != raft::kNoNode) return {};
    return Fail(ErrorCode::kUnavailable, "no other voter is there to take the lead");
  }
  if (std::find(voters.begin(), voters.end(), target) == voters.end()) {
    return Fail(ErrorCode::kNotFound, "no such voter");
  }
  Result<void> able;
  node_->VisitProgress([&](const raft::ProgressStatus& progress) {
    if (progress.id != target) return;
    if (!IsActive(progress)) {
      able = Fail(ErrorCode::kUnavailable, "the member does not answer, it cannot take the lead");
    } else if (!HasMostOfLog(progress)) {
      able = Fail(ErrorCode::kUnavailable, "the member lags behind, it cannot take the lead yet");
    }
  });
  return able;
}

void Replica::Transfer(raft::NodeId target, Nanos deadline, Finished finished) {
  if (auto able = CheckSuccessor(target); !able) return finished(std::move(able));
  if (target == options_.id) return finished({});
  if (transfer_) {
    return finished(Fail(ErrorCode::kUnavailable, "another hand-over is under way"));
  }
  if (target == raft::kNoNode) target = BestSuccessor();
  transfer_ = PendingTransfer{target, deadline, std::move(finished)};
  node_->TransferLeader(target);
}

void Replica::CheckTransfer() {
  if (!transfer_) return;
  if (leader_ == transfer_->target) {
    FinishTransfer({});
  } else if (leader_ != raft::kNoNode && leader_ != options_.id) {
    FinishTransfer(Fail(ErrorCode::kUnavailable, "another member took the lead"));
  } else if (clock_.Monotonic() >= transfer_->deadline || TransferGivenUp()) {
    FinishTransfer(Fail(ErrorCode::kTimeout, "the lead was not taken over in time"));
  }
}

/// The library waits one election timeout for the target to catch up. If that was not even asked to take over, this
/// member just goes on.
bool Replica::TransferGivenUp() const {
  return lead_term_ != 0 && !lease_.given_up() &&
         node_->GetBasicStatus().lead_transferee == raft::kNoNode;
}

void Replica::FinishTransfer(Result<void> result) {
  if (!transfer_) return;
  const Finished finished = std::move(transfer_->finished);
  transfer_.reset();
  finished(std::move(result));
}

}  // namespace pd

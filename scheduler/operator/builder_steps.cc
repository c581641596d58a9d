// The steps of a Builder, and the order of steps with joint consensus (as in the reference).
#include <algorithm>
#include <utility>

#include "scheduler/operator/builder.h"

namespace scheduler {

void Builder::DoTransfer(StoreId to) {
  scheduler::TransferLeader step{current_leader_, to, {}};
  if (to == target_leader_) step.candidates = leader_candidates_;
  proposal_.steps.emplace_back(std::move(step));
  proposal_.kind |= Kind::kLeader;
  current_leader_ = to;
}

void Builder::DoAdd(const Peer& peer) {
  proposal_.steps.emplace_back(
      scheduler::AddLearner{peer.store, peer.id, region_.leader.store, peer.witness, light_add_});
  Peer learner = peer;
  learner.role = PeerRole::kLearner;
  current_[peer.store] = learner;
  added_at_[peer.store] = proposal_.steps.size();
  proposal_.kind |= Kind::kRegion;
}

void Builder::DoPromote(const Peer& peer) {
  proposal_.steps.emplace_back(scheduler::PromoteLearner{peer.store, peer.id, peer.witness});
  current_[peer.store] = peer;
}

void Builder::DoRemove(const Peer& peer) {
  const Store* store = context_.view.FindStore(peer.store);
  const bool down =
      store == nullptr || store->DownTime(context_.now) > context_.options.max_store_down_time;
  proposal_.steps.emplace_back(scheduler::RemovePeer{peer.store, peer.id, down, light_remove_});
  current_.erase(peer.store);
  proposal_.kind |= Kind::kRegion;
}

void Builder::DoEnterAndLeave(const PeersByStore& promotes, const PeersByStore& demotes,
                              bool transfer_inside) {
  ChangePeerV2Enter enter;
  for (const auto& [store, peer] : promotes) {
    enter.promotes.push_back({store, peer.id, peer.witness});
    current_[store] = peer;
  }
  for (const auto& [store, peer] : demotes) {
    enter.demotes.push_back({store, peer.id, peer.witness});
    current_[store].role = PeerRole::kLearner;
  }
  const ChangePeerV2Leave leave{enter.promotes, enter.demotes};
  const size_t changes = enter.promotes.size() + enter.demotes.size();
  if (changes > 0) proposal_.steps.emplace_back(std::move(enter));
  if (transfer_inside) DoTransfer(target_leader_);
  // A store applies a single change at once, so that there is no joint state to leave.
  if (changes > 1) proposal_.steps.emplace_back(leave);
}

void Builder::BuildJoint() {
  for (const auto& [store, peer] : to_add_) {
    DoAdd(peer);
    if (IsVoter(peer)) to_promote_[store] = peer;
  }
  // Who gets the lead only with its data is asked last.
  const StoreId last_leader =
      to_promote_after_.contains(target_leader_) ? std::exchange(target_leader_, {}) : StoreId{};
  if (!target_leader_) target_leader_ = ChooseTargetLeader();
  if (!target_leader_) return Fail("cannot create operator: no target leader");
  for (const auto& [store, peer] : to_remove_) {
    if (!IsVoter(peer)) continue;
    to_demote_[store] = peer;
    to_demote_[store].role = PeerRole::kLearner;
  }

  const auto origin_leader = origin_.find(target_leader_);
  const auto old_leader = target_.find(current_leader_);
  if (origin_leader != origin_.end() && IsVoter(origin_leader->second)) {
    if (current_leader_ != target_leader_) DoTransfer(target_leader_);
    DoEnterAndLeave(to_promote_, to_demote_);
  } else if (old_leader != target_.end() && IsVoter(old_leader->second)) {
    DoEnterAndLeave(to_promote_, to_demote_);
    if (current_leader_ != target_leader_) DoTransfer(target_leader_);
  } else {
    DoEnterAndLeave(to_promote_, to_demote_, true);
  }
  DoBringData();
  for (const auto& entry : to_remove_) DoRemove(entry.second);
  DoSwitch(to_witness_);
  if (last_leader) DoTransfer(last_leader);
}

}  // namespace scheduler

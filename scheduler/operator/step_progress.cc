// What can no longer come true: the in-progress check of each step (as in the reference).
#include <algorithm>

#include "scheduler/operator/step.h"

namespace scheduler {
namespace {

using Verdict = std::optional<std::string>;

struct InProgress {
  const Region& region;
  const StoreUsable& usable;

  Verdict operator()(const TransferLeader& step) const {
    std::vector<StoreId> targets = step.candidates;
    targets.push_back(step.to);
    for (const StoreId target : targets) {
      const Peer* peer = region.PeerOnStore(target);
      if (peer != nullptr && !IsLearner(*peer) && usable(target)) return {};
    }
    return "no target can lead any more";
  }
  Verdict operator()(const AddPeer& step) const { return Add(step.store, step.peer); }
  Verdict operator()(const AddLearner& step) const {
    const Peer* peer = region.PeerOnStore(step.store);
    if (peer != nullptr && IsVoter(*peer)) return "the peer to be a learner is a voter already";
    return Add(step.store, step.peer);
  }
  Verdict operator()(const PromoteLearner& step) const {
    return Present(step.store, step.peer) == nullptr ? Verdict("the learner is gone") : Verdict();
  }
  Verdict operator()(const RemovePeer& step) const {
    if (region.leader.store == step.store) return "the peer to remove is the leader";
    return {};
  }
  Verdict operator()(const ChangePeerV2Enter& step) const {
    size_t joint = 0;
    size_t plain = 0;
    for (const PromoteLearner& p : step.promotes) {
      const Peer* peer = Present(p.store, p.peer);
      if (peer == nullptr || peer->role == PeerRole::kDemotingVoter) return "promoted peer is gone";
      ++(peer->role == PeerRole::kIncomingVoter ? joint : plain);
    }
    for (const DemoteVoter& d : step.demotes) {
      const Peer* peer = Present(d.store, d.peer);
      if (peer == nullptr || peer->role == PeerRole::kIncomingVoter) return "demoted peer is gone";
      ++(peer->role == PeerRole::kDemotingVoter ? joint : plain);
    }
    return OneState(joint, plain);
  }
  Verdict operator()(const ChangePeerV2Leave& step) const {
    size_t joint = 0;
    size_t plain = 0;
    bool leader_demotes = false;
    for (const PromoteLearner& p : step.promotes) {
      const Peer* peer = Present(p.store, p.peer);
      if (peer == nullptr || IsLearner(*peer)) return "promoted peer is gone";
      ++(peer->role == PeerRole::kIncomingVoter ? joint : plain);
    }
    for (const DemoteVoter& d : step.demotes) {
      const Peer* peer = Present(d.store, d.peer);
      if (peer == nullptr || peer->role == PeerRole::kVoter) return "demoted peer is a voter";
      ++(peer->role == PeerRole::kDemotingVoter ? joint : plain);
      leader_demotes |= region.leader.id == d.peer && peer->role == PeerRole::kDemotingVoter;
    }
    if (leader_demotes) return "the leader is being demoted";
    return OneState(joint, plain);
  }
  Verdict operator()(const MergeRegion&) const { return {}; }
  Verdict operator()(const SplitRegion&) const { return {}; }
  Verdict operator()(const BatchSwitchWitness& step) const {
    for (const WitnessSwitch& one : step.switches) {
      if (!usable(one.store) || Present(one.store, one.peer) == nullptr) return "peer is gone";
    }
    return {};
  }

  [[nodiscard]] const Peer* Present(StoreId store, PeerId id) const {
    const Peer* peer = region.PeerOnStore(store);
    return peer != nullptr && peer->id == id ? peer : nullptr;
  }
  [[nodiscard]] Verdict Add(StoreId store, PeerId id) const {
    if (!usable(store)) return "the target store is gone or down";
    const Peer* peer = region.PeerOnStore(store);
    if (peer != nullptr && peer->id != id) return "another peer is on the target store";
    return {};
  }
  /// All of a joint change happens at once, and no other joint change is under way.
  [[nodiscard]] Verdict OneState(size_t joint, size_t plain) const {
    const auto all_joint = static_cast<size_t>(
        std::ranges::count_if(region.peers, [](const Peer& p) { return InJointState(p); }));
    if (joint > 0 && plain > 0) return "only a part of the joint change happened";
    if (joint != all_joint) return "another joint change is under way";
    return {};
  }
};

}  // namespace

std::optional<std::string> RefuseInProgress(const Step& step, const Region& region,
                                            const StoreUsable& usable) {
  return std::visit(InProgress{region, usable}, step);
}

}  // namespace scheduler

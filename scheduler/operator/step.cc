#include "scheduler/operator/step.h"

#include <algorithm>

namespace scheduler {
namespace {

Millis Fast(uint64_t size_mib) {
  return std::max<Millis>(Seconds{60}, Millis{static_cast<int64_t>(size_mib) * 600});
}
Millis Slow(uint64_t size_mib) {
  return std::max<Millis>(Seconds{600}, Millis{static_cast<int64_t>(size_mib) * 6000});
}

const Peer* PeerWithId(const Region& region, StoreId store, PeerId id) {
  const Peer* peer = region.PeerOnStore(store);
  return peer != nullptr && peer->id == id ? peer : nullptr;
}

bool IsPlainVoter(const Peer* peer) { return peer != nullptr && peer->role == PeerRole::kVoter; }

/// The peer has arrived in its role, with data.
bool HasArrived(const Region& region, const Peer* peer, bool learner, bool witness) {
  return peer != nullptr && IsLearner(*peer) == learner && peer->witness == witness &&
         !region.IsPending(peer->id);
}

bool IsDemoted(const Peer* peer, PeerRole also) {
  return peer != nullptr && (peer->role == PeerRole::kLearner || peer->role == also);
}

struct Timeouts {
  uint64_t size_mib;

  Millis operator()(const TransferLeader&) const { return Fast(size_mib); }
  Millis operator()(const AddPeer&) const { return Slow(size_mib); }
  Millis operator()(const AddLearner&) const { return Slow(size_mib); }
  Millis operator()(const PromoteLearner&) const { return Fast(size_mib); }
  Millis operator()(const RemovePeer&) const { return Fast(size_mib); }
  Millis operator()(const ChangePeerV2Enter& step) const { return Joint(step); }
  Millis operator()(const ChangePeerV2Leave& step) const { return Joint(step); }
  Millis operator()(const MergeRegion&) const { return 10 * Fast(size_mib); }
  Millis operator()(const SplitRegion&) const { return Fast(size_mib); }
  Millis operator()(const BatchSwitchWitness& step) const {
    const auto back = std::ranges::count(step.switches, false, &WitnessSwitch::witness);
    return Slow(size_mib) * (back + 1);
  }

  template <class JointStep>
  [[nodiscard]] Millis Joint(const JointStep& step) const {
    return Fast(size_mib) * static_cast<int64_t>(step.promotes.size() + step.demotes.size() + 1);
  }
};

struct Finishes {
  const Region& region;

  bool operator()(const TransferLeader& step) const {
    const StoreId leader = region.leader.store;
    return region.HasLeader() && (leader == step.to || std::ranges::find(step.candidates, leader) !=
                                                           step.candidates.end());
  }
  bool operator()(const AddPeer& step) const {
    return HasArrived(region, PeerWithId(region, step.store, step.peer), false, step.witness);
  }
  bool operator()(const AddLearner& step) const {
    return HasArrived(region, PeerWithId(region, step.store, step.peer), true, step.witness);
  }
  bool operator()(const PromoteLearner& step) const {
    return IsPlainVoter(PeerWithId(region, step.store, step.peer));
  }
  bool operator()(const RemovePeer& step) const {
    return region.PeerOnStore(step.store) == nullptr;
  }
  bool operator()(const ChangePeerV2Enter& step) const {
    return std::ranges::all_of(step.promotes,
                               [&](const PromoteLearner& p) {
                                 const Peer* peer = PeerWithId(region, p.store, p.peer);
                                 return IsPlainVoter(peer) ||
                                        (peer != nullptr && peer->role == PeerRole::kIncomingVoter);
                               }) &&
           std::ranges::all_of(step.demotes, [&](const DemoteVoter& d) {
             return IsDemoted(PeerWithId(region, d.store, d.peer), PeerRole::kDemotingVoter);
           });
  }
  bool operator()(const ChangePeerV2Leave& step) const {
    return !region.InJointState() &&
           std::ranges::all_of(step.promotes,
                               [&](const PromoteLearner& p) {
                                 return IsPlainVoter(PeerWithId(region, p.store, p.peer));
                               }) &&
           std::ranges::all_of(step.demotes, [&](const DemoteVoter& d) {
             return IsDemoted(PeerWithId(region, d.store, d.peer), PeerRole::kLearner);
           });
  }
  // The source region of a merge disappears; its operator ends together with the passive one. The reference takes any
  // change of the target's range for the merge; a split is none.
  bool operator()(const MergeRegion& step) const {
    return step.passive && region.start_key <= step.from.start_key &&
           !EndsAfter(step.from.end_key, region.end_key);
  }
  bool operator()(const SplitRegion& step) const {
    return region.start_key != step.range.start || region.end_key != step.range.end;
  }
  bool operator()(const BatchSwitchWitness& step) const {
    return std::ranges::all_of(step.switches, [&](const WitnessSwitch& one) {
      const Peer* peer = PeerWithId(region, one.store, one.peer);
      return peer != nullptr && peer->witness == one.witness &&
             (one.witness || !region.IsPending(peer->id));
    });
  }
};

struct ConfVers {
  const Region& region;

  uint64_t operator()(const TransferLeader&) const { return 0; }
  uint64_t operator()(const MergeRegion& step) const {
    return !step.passive && IsPreparedMerge(step, region) ? 1 : 0;
  }
  uint64_t operator()(const SplitRegion&) const { return 0; }
  uint64_t operator()(const AddPeer& step) const {
    const Peer* peer = PeerWithId(region, step.store, step.peer);
    return peer != nullptr && IsVoter(*peer) ? 1 : 0;
  }
  uint64_t operator()(const AddLearner& step) const {
    return PeerWithId(region, step.store, step.peer) != nullptr ? 1 : 0;
  }
  uint64_t operator()(const PromoteLearner& step) const {
    return IsPlainVoter(PeerWithId(region, step.store, step.peer)) ? 1 : 0;
  }
  uint64_t operator()(const RemovePeer& step) const {
    const Peer* peer = region.PeerOnStore(step.store);
    return peer == nullptr || (step.peer && peer->id != step.peer) ? 1 : 0;
  }
  uint64_t operator()(const ChangePeerV2Enter& step) const {
    for (const PromoteLearner& p : step.promotes) {
      const Peer* peer = PeerWithId(region, p.store, p.peer);
      if (!IsPlainVoter(peer) && (peer == nullptr || peer->role != PeerRole::kIncomingVoter)) {
        return 0;
      }
    }
    return Demoted(step.demotes, PeerRole::kDemotingVoter)
               ? step.promotes.size() + step.demotes.size()
               : 0;
  }
  uint64_t operator()(const ChangePeerV2Leave& step) const {
    for (const PromoteLearner& p : step.promotes) {
      if (!IsPlainVoter(PeerWithId(region, p.store, p.peer))) return 0;
    }
    return Demoted(step.demotes, PeerRole::kLearner) ? step.promotes.size() + step.demotes.size()
                                                     : 0;
  }
  uint64_t operator()(const BatchSwitchWitness& step) const {
    const bool all = std::ranges::all_of(step.switches, [&](const WitnessSwitch& one) {
      const Peer* peer = PeerWithId(region, one.store, one.peer);
      return peer != nullptr && peer->witness == one.witness;
    });
    return all ? step.switches.size() : 0;
  }

  [[nodiscard]] bool Demoted(const std::vector<DemoteVoter>& demotes, PeerRole also) const {
    return std::ranges::all_of(demotes, [&](const DemoteVoter& d) {
      const Peer* peer = region.PeerOnStore(d.store);
      if (peer == nullptr) return true;
      // A witness that has got its data since may vote again.
      return peer->id == d.peer && (IsDemoted(peer, also) || (d.witness && !peer->witness));
    });
  }
};

struct Influences {
  const Region& region;
  Influence& influence;

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(region.size_mib); }

  void operator()(const TransferLeader& step) const {
    StoreInfluence& from = influence.At(step.from);
    from.leader_size_mib -= size();
    from.leader_count -= 1;
    StoreInfluence& to = influence.At(step.to);
    to.leader_size_mib += size();
    to.leader_count += 1;
  }
  void operator()(const AddPeer& step) const {
    Arrive(step.store, step.witness);
    if (!step.witness) Cost(step.store, LimitType::kAddPeer) += LimitCost(region.size_mib);
  }
  void operator()(const AddLearner& step) const {
    Arrive(step.store, step.witness);
    if (step.witness || step.light) return;
    Cost(step.store, LimitType::kAddPeer) += LimitCost(region.size_mib);
    Cost(step.sender, LimitType::kSendSnapshot) += size();
  }
  void operator()(const PromoteLearner&) const {}
  void operator()(const RemovePeer& step) const {
    constexpr uint64_t kDownSizeMaxMib = 20;
    const Peer* peer = region.PeerOnStore(step.store);
    StoreInfluence& store = influence.At(step.store);
    store.region_count -= 1;
    if (peer != nullptr && peer->witness) {
      store.witness_count -= 1;
    } else {
      store.region_size_mib -= size();
    }
    if (step.light) return;
    const uint64_t size_mib =
        step.down ? std::min(region.size_mib, kDownSizeMaxMib) : region.size_mib;
    Cost(step.store, LimitType::kRemovePeer) += LimitCost(size_mib);
  }
  void operator()(const ChangePeerV2Enter&) const {}
  void operator()(const ChangePeerV2Leave&) const {}
  void operator()(const MergeRegion& step) const {
    if (!step.passive) return;
    for (const Peer& peer : region.peers) {
      influence.At(peer.store).region_count -= 1;
      if (peer.id == region.leader.id) influence.At(peer.store).leader_count -= 1;
    }
  }
  void operator()(const SplitRegion&) const {
    for (const Peer& peer : region.peers) {
      influence.At(peer.store).region_count += 1;
      if (peer.id == region.leader.id) influence.At(peer.store).leader_count += 1;
    }
  }
  void operator()(const BatchSwitchWitness& step) const {
    for (const WitnessSwitch& one : step.switches) {
      StoreInfluence& store = influence.At(one.store);
      const int64_t sign = one.witness ? 1 : -1;
      store.witness_count += sign;
      store.region_size_mib -= sign * size();
      Cost(one.store, one.witness ? LimitType::kRemovePeer : LimitType::kAddPeer) +=
          LimitCost(region.size_mib);
      // Its data comes as for a new peer. Who leads now is likelier to send them than who led at planning.
      if (!one.witness && region.HasLeader()) {
        Cost(region.leader.store, LimitType::kSendSnapshot) += size();
      }
    }
  }

  void Arrive(StoreId store_id, bool witness) const {
    StoreInfluence& store = influence.At(store_id);
    store.region_count += 1;
    if (witness) {
      store.witness_count += 1;
    } else {
      store.region_size_mib += size();
    }
  }
  [[nodiscard]] int64_t& Cost(StoreId store, LimitType type) const {
    return influence.At(store).cost[static_cast<size_t>(type)];
  }
};

struct FillIds {
  StoreId store;
  PeerId peer;

  void operator()(AddPeer& step) const { One(step); }
  void operator()(AddLearner& step) const { One(step); }
  void operator()(PromoteLearner& step) const { One(step); }
  void operator()(ChangePeerV2Enter& step) const { std::ranges::for_each(step.promotes, *this); }
  void operator()(ChangePeerV2Leave& step) const { std::ranges::for_each(step.promotes, *this); }
  template <class Other>
  void operator()(Other&) const {}

  template <class OneStep>
  void One(OneStep& step) const {
    if (step.store == store && !step.peer) step.peer = peer;
  }
};

}  // namespace

bool IsPreparedMerge(const MergeRegion& step, const Region& source) {
  return source.epoch.version == step.from.epoch.version + 1 &&
         source.start_key == step.from.start_key && source.end_key == step.from.end_key;
}

Millis StepTimeout(const Step& step, uint64_t region_size_mib) {
  return std::visit(Timeouts{region_size_mib}, step);
}

bool IsFinished(const Step& step, const Region& region) {
  return std::visit(Finishes{region}, step);
}

uint64_t ConfVerChanges(const Step& step, const Region& region) {
  return std::visit(ConfVers{region}, step);
}

void AddInfluence(const Step& step, const Region& region, Influence& influence) {
  std::visit(Influences{region, influence}, step);
}

void FillPeerId(Step& step, StoreId store, PeerId peer) { std::visit(FillIds{store, peer}, step); }

std::optional<StoreId> NeedsPeerId(const Step& step) {
  if (const auto* add = std::get_if<AddPeer>(&step); add != nullptr && !add->peer) {
    return add->store;
  }
  if (const auto* add = std::get_if<AddLearner>(&step); add != nullptr && !add->peer) {
    return add->store;
  }
  return {};
}

}  // namespace scheduler

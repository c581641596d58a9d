#include "scheduler/checkers/replica_checker.h"

#include <algorithm>
#include <string>

#include "scheduler/checkers/better_location.h"
#include "scheduler/checkers/peer_state.h"
#include "scheduler/checkers/store_selector.h"
#include "scheduler/model/assert.h"
#include "scheduler/operator/builder.h"
#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

class ReplicaRepair {
 public:
  /// `rule` is what the settings stand for.
  ReplicaRepair(const PlanContext& context, const Region& region, const Rule& rule,
                Decision& decision)
      : context_(context),
        region_(region),
        rule_(rule),
        selector_(context, region, rule),
        stores_(StoresOf(context.view, region.peers)),
        decision_(decision) {}

  void Repair() {
    using Check = void (ReplicaRepair::*)();
    constexpr Check kChecks[] = {&ReplicaRepair::FixLost, &ReplicaRepair::FixLeaving,
                                 &ReplicaRepair::MakeUp, &ReplicaRepair::RemoveExtra,
                                 &ReplicaRepair::Improve};
    for (const Check check : kChecks) {
      (this->*check)();
      if (!decision_.proposals.empty() || waits_) return;
    }
  }

  [[nodiscard]] uint64_t MissingPeers() const {
    const auto kept = static_cast<uint64_t>(std::ranges::count_if(
        region_.peers, [&](const Peer& peer) { return !IsLostPeer(context_, region_, peer); }));
    return rule_.count - std::min(rule_.count, kept);
  }

 private:
  /// To be asked only where there is something to do.
  bool IsOn(bool setting, const char* name, StoreId store) {
    if (!setting) decision_.Refuse({Reason::kSwitchedOff, store, region_.id, 0, 0, name});
    return setting;
  }

  void FixLost() {
    const auto lost = std::ranges::find_if(region_.peers, [&](const Peer& peer) {
      return IsLostPeer(context_, region_, peer) && context_.view.FindStore(peer.store) != nullptr;
    });
    if (lost == region_.peers.end()) return;
    const bool on = context_.options.enable_remove_down_replica;
    if (IsOn(on, "enable-remove-down-replica", lost->store)) Fix(*lost, "down");
  }

  void FixLeaving() {
    if (std::ranges::any_of(region_.peers, IsLearner)) return;  // Something is on its way already.
    const auto leaving = std::ranges::find_if(region_.peers, [&](const Peer& peer) {
      const Store* store = context_.view.FindStore(peer.store);
      return store != nullptr && !store->IsUp();
    });
    if (leaving == region_.peers.end()) return;
    const bool on = context_.options.enable_replace_offline_replica;
    if (IsOn(on, "enable-replace-offline-replica", leaving->store)) Fix(*leaving, "offline");
  }

  void Fix(const Peer& peer, const std::string& status) {
    const uint64_t others = region_.VoterCount() - (IsVoter(peer) ? 1 : 0);
    if (others >= rule_.count) {
      return Remove(peer.store, "remove-extra-" + status + "-replica", Priority::kHigh);
    }
    const Store* target = Take(selector_.ToReplace(stores_, peer.store));
    if (target == nullptr) return;
    decision_.Take(region_.id,
                   Builder(context_, "replace-" + status + "-replica", region_)
                       .RemovePeer(peer.store)
                       .AddPeer({PeerId{}, target->id})
                       .SetWhy("store " + std::to_string(peer.store.value) + " is " + status)
                       .Build(Kind::kReplica, Priority::kHigh));
  }

  void MakeUp() {
    if (region_.peers.size() >= rule_.count) return;
    if (!IsOn(context_.options.enable_make_up_replica, "enable-make-up-replica", {})) return;
    const Store* target = Take(selector_.ToAdd(stores_));
    if (target == nullptr) return;
    decision_.Take(region_.id, Builder(context_, "make-up-replica", region_)
                                   .AddPeer({PeerId{}, target->id})
                                   .SetWhy(std::to_string(region_.peers.size()) + " of " +
                                           std::to_string(rule_.count) + " replicas")
                                   .Build(Kind::kReplica, Priority::kHigh));
  }

  void RemoveExtra() {
    if (region_.VoterCount() <= rule_.count) return;
    if (!IsOn(context_.options.enable_remove_extra_replica, "enable-remove-extra-replica", {})) {
      return;
    }
    std::vector<Peer> voters;
    std::vector<Peer> sick;
    for (const Peer& peer : region_.peers) {
      if (IsLearner(peer)) continue;
      voters.push_back(peer);
      const bool well = IsHealthyPeer(region_, peer) && IsConnected(context_, peer.store);
      if (!well) sick.push_back(peer);
    }
    const std::vector<const Store*> stores = StoresOf(context_.view, sick.empty() ? voters : sick);
    const Store* store = SelectStoreToLeave(context_, rule_, stores);
    if (store == nullptr) return RefuseToLeave(context_, stores, decision_);
    Remove(store->id, "remove-extra-replica", Priority::kMedium);
  }

  void Remove(StoreId store, const std::string& desc, Priority priority) {
    if (auto refusal = RefuseRemoval(context_, region_, store, rule_.count)) {
      waits_ = true;  // Another removal would be one of a peer that is about to be well.
      return decision_.Refuse(std::move(*refusal));
    }
    decision_.Take(region_.id, Builder(context_, desc, region_)
                                   .RemovePeer(store)
                                   .SetWhy(std::to_string(region_.VoterCount()) + " voters, " +
                                           std::to_string(rule_.count) + " are wanted")
                                   .Build(Kind::kReplica, priority));
  }

  void Improve() {
    const bool on = context_.options.enable_location_replacement;
    if (!on && !FindBetterLocation(context_, region_, rule_, stores_)) return;
    if (!IsOn(on, "enable-location-replacement", {})) return;
    MoveToBetterLocation(context_, region_, rule_, stores_, decision_);
  }

  const Store* Take(Selection selection) {
    return selector_.Take(std::move(selection), region_.peers.size(), decision_);
  }

  const PlanContext& context_;
  const Region& region_;
  const Rule& rule_;
  const StoreSelector selector_;
  const std::vector<const Store*> stores_;  // Of all peers, as far as they are known.
  Decision& decision_;
  bool waits_ = false;
};

}  // namespace

Decision CheckReplicas(const PlanContext& context, const Region& region) {
  Decision decision;
  const std::vector<const Rule*>& rules = context.rules.RulesFor(region);
  PD_ASSERT(rules.size() == 1);
  if (!region.HasLeader()) {
    decision.Refuse({Reason::kRegionNoLeader, StoreId{}, region.id, 0, 0, {}});
    return decision;
  }
  ReplicaRepair repair(context, region, *rules.front(), decision);
  decision.missing_peers = repair.MissingPeers();
  repair.Repair();
  return decision;
}

}  // namespace scheduler

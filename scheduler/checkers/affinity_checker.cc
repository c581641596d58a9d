#include "scheduler/checkers/affinity_checker.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "scheduler/affinity/group_health.h"
#include "scheduler/checkers/affinity_merge.h"
#include "scheduler/checkers/rule_checker.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/operator/operator.h"

namespace scheduler {
namespace {

/// The peers that the region would have on its group's stores; new ones have no id.
std::map<StoreId, Peer> PeersOn(const AffinityStores& stores, const Region& region) {
  std::map<StoreId, Peer> peers;
  for (const Peer& peer : region.peers) {
    if (IsLearner(peer)) peers[peer.store] = peer;
  }
  for (const StoreId store : stores.voters) {
    const Peer* there = region.PeerOnStore(store);
    peers[store] = there != nullptr ? *there : Peer{{}, store, PeerRole::kVoter, false};
  }
  return peers;
}

/// The region as it would be with these peers.
Region Moved(const Region& region, const std::map<StoreId, Peer>& peers, StoreId leader) {
  Region moved = region;
  for (const auto& [store, peer] : peers) {
    if (region.PeerOnStore(store) == nullptr) {
      moved.peers.push_back(peer);
      moved.peers.back().id = moved.UnusedPeerId();
    }
  }
  std::erase_if(moved.peers, [&](const Peer& peer) { return !peers.contains(peer.store); });
  if (const Peer* leads = moved.PeerOnStore(leader)) moved.leader = *leads;
  return moved;
}

/// The look at one region of a group.
class AffinityLook {
 public:
  AffinityLook(const PlanContext& context, const Region& region,
               const AffinityGroups::value_type& group)
      : context_(context), region_(region), entry_(group), id_(group.first), group_(group.second) {}

  AffinityCheck Run() {
    if (RefuseRegion(region_)) return std::move(check_);
    if (group_.AllowsBalance()) {
      OfferTemplate();
    } else if (!group_.AllowsAffinity()) {
      Refuse({Reason::kRegionAffinity, {}, region_.id, 0, 0, "group " + id_ + " is degraded"});
    } else if (group_.Holds(region_)) {
      Merge();
    } else {
      MoveToGroup();
    }
    return std::move(check_);
  }

 private:
  void Refuse(Refusal refusal) { check_.decision.Refuse(std::move(refusal)); }

  /// Not one that has anything else to be done.
  bool RefuseRegion(const Region& region) {
    std::optional<Refusal> refusal;
    if (!context_.options.enable_placement_rules) {
      refusal = {Reason::kRulesOff, {}, region.id, 0, 0, {}};
    } else {
      refusal = RefuseUnhealthyRegion(region);
      if (!refusal) refusal = RefusePlaces(region);
    }
    if (!refusal) return false;
    Refuse(*std::move(refusal));
    return true;
  }

  [[nodiscard]] std::optional<Refusal> RefusePlaces(const Region& region) const {
    const RegionFit fit = context_.Fit(region);
    if (!fit.IsSatisfied()) return Refusal{Reason::kRegionNotReplicated, {}, region.id, 0, 0, {}};
    if (!HasBetterLocation(context_, region, fit)) return {};
    return Refusal{Reason::kRegionBetterLocation, {}, region.id, 0, 0, {}};
  }

  /// Also of the group's own stores: the last look at them may be a while ago.
  bool RefuseTrouble(const AffinityStores& stores) {
    auto trouble = WorstTrouble(context_, stores);
    if (!trouble) return false;
    trouble->why.region = region_.id;
    Refuse(std::move(trouble->why));
    return true;
  }

  AffinityFinding& Finding() {
    if (!check_.finding) check_.finding = AffinityFinding{id_, group_.assignment, false, {}};
    return *check_.finding;
  }

  void OfferTemplate() {
    AffinityStores places = PlacesOf(region_);
    if (RefuseTrouble(places)) return;
    Finding().template_stores = std::move(places);
  }

  void MoveToGroup() {
    for (const StoreId store : group_.stores.voters) {
      const Peer* there = region_.PeerOnStore(store);
      if (there != nullptr && IsLearner(*there)) {
        return Refuse({Reason::kStoreHoldsPeer, store, region_.id, 0, 0, "a learner"});
      }
    }
    const std::map<StoreId, Peer> peers = PeersOn(group_.stores, region_);
    if (const auto why = RefusePlaces(Moved(region_, peers, group_.stores.leader))) {
      Refuse({Reason::kStorePlacement, group_.stores.leader, region_.id, 0, 0,
              "group " + id_ + " expires: " + ReasonText(why->reason)});
      Finding().expires = true;
      return OfferTemplate();
    }
    if (RefuseTrouble(group_.stores)) return;
    Propose(peers);
  }

  void Merge() {
    Decision merge = CheckAffinityMerge(context_, region_, entry_);
    for (Refusal& refusal : merge.refusals) Refuse(std::move(refusal));
    check_.decision.proposals = std::move(merge.proposals);
  }

  void Propose(const std::map<StoreId, Peer>& peers) {
    std::map<StoreId, RuleRole> roles;
    for (const auto& [store, peer] : peers) {
      roles[store] = IsLearner(peer) ? RuleRole::kLearner : RuleRole::kVoter;
    }
    roles[group_.stores.leader] = RuleRole::kLeader;
    Kind kind = Kind::kAffinity;
    if (region_.leader.store != group_.stores.leader) kind |= Kind::kLeader;
    check_.decision.Take(region_.id,
                         Builder(context_, "affinity-move-region", region_)
                             .SetPeers(peers)
                             .SetExpectedRoles(std::move(roles))
                             .SetLeader(group_.stores.leader)
                             .SetWhy("group " + id_ + " is led on store " +
                                     std::to_string(group_.stores.leader.value) + " of stores " +
                                     StoreListText(group_.stores.voters))
                             .Build(kind));
  }

  const PlanContext& context_;
  const Region& region_;
  const AffinityGroups::value_type& entry_;
  const std::string& id_;
  const AffinityGroup& group_;
  AffinityCheck check_;
};

}  // namespace

AffinityCheck CheckAffinity(const PlanContext& context, const Region& region) {
  const auto* group = context.AffinityOf(region);
  if (group == nullptr) return {};
  return AffinityLook(context, region, *group).Run();
}

}  // namespace scheduler

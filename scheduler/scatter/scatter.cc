#include "scheduler/scatter/scatter.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

/// Empty: the ordinary engine, which comes first.
std::string_view EngineOf(const Store& store) {
  return store.IsTiFlash() ? kEngineTiFlash : std::string_view();
}

/// What a fit and a leader depend on; without load and buckets it is cheap to copy.
Region PlacementOf(const Region& region) {
  Region placement;
  placement.id = region.id;
  placement.start_key = region.start_key;
  placement.end_key = region.end_key;
  placement.peers = region.peers;
  placement.leader = region.leader;
  placement.down_peers = region.down_peers;
  placement.pending_peers = region.pending_peers;
  return placement;
}

/// The peer keeps its id, by which the fits before and after are compared; what it suffered from stays behind.
Region Moved(Region region, const Peer& peer, StoreId to) {
  std::ranges::find(region.peers, peer.id, &Peer::id)->store = to;
  if (region.leader.id == peer.id) region.leader.store = to;
  std::erase_if(region.down_peers, [&](const DownPeer& down) { return down.peer.id == peer.id; });
  std::erase_if(region.pending_peers, [&](const Peer& pending) { return pending.id == peer.id; });
  return region;
}

/// Where the peers of one region go, and who leads. The region's rules are satisfied, so that all its stores are known.
class Scattering {
 public:
  Scattering(const PlanContext& context, const Region& region, const RegionFit& fit,
             const ScatterCounts& counts)
      : context_(context),
        region_(region),
        counts_(counts),
        first_fit_(fit),
        after_(PlacementOf(region)),
        fit_(fit) {}

  void PlacePeers() {
    std::vector<Peer> peers = region_.peers;
    std::ranges::sort(peers, {}, [&](const Peer& peer) {
      return std::make_tuple(EngineOf(*context_.view.FindStore(peer.store)), peer.store);
    });
    for (const Peer& peer : peers) Place(peer);
  }

  /// The resulting store with the fewest leaders; 0 when nobody may lead.
  [[nodiscard]] StoreId ChooseLeader() const {
    std::vector<Peer> peers = after_.peers;
    std::ranges::sort(peers, {}, &Peer::store);
    StoreId best;
    for (const Peer& peer : peers) {
      if (best && counts_.LeadersOn(peer.store) >= counts_.LeadersOn(best)) continue;
      if (MayLead(peer)) best = peer.store;
    }
    return best;
  }

  /// By store; peers that moved have no id yet.
  [[nodiscard]] std::map<StoreId, Peer> Targets() const {
    std::map<StoreId, Peer> targets;
    for (Peer peer : after_.peers) {
      if (region_.PeerOnStore(peer.store) == nullptr) peer.id = {};
      targets[peer.store] = peer;
    }
    return targets;
  }

 private:
  void Place(const Peer& peer) {
    // Another peer would have liked this store best: then the peer that is there stays, which comes to the same.
    if (selected_.contains(peer.store)) return;
    for (;;) {
      const StoreId chosen = Choose(peer);
      selected_.insert(chosen);
      if (chosen == peer.store) return;
      if (region_.PeerOnStore(chosen) != nullptr) continue;
      after_ = Moved(std::move(after_), peer, chosen);
      fit_ = context_.Fit(after_);
      return;
    }
  }

  /// The first store with the fewest peers, its own one unless there is a store with fewer. The reference also passes
  /// by the stores with the most peers of all; they never have fewer than the peer's own.
  [[nodiscard]] StoreId Choose(const Peer& peer) const {
    const Store& own = *context_.view.FindStore(peer.store);
    StoreId best = own.id;
    for (const Store& store : context_.view.stores()) {
      if (counts_.PeersOn(store.id) >= counts_.PeersOn(best)) continue;
      if (MayTake(peer, own, store)) best = store.id;
    }
    return best;
  }

  [[nodiscard]] bool MayTake(const Peer& peer, const Store& own, const Store& store) const {
    if (EngineOf(store) != EngineOf(own) || selected_.contains(store.id)) return false;
    if (RefuseBasicTarget(context_, store)) return false;
    if (!MayReplace(context_.view, fit_, own.id, store)) return false;
    // Nobody moves to a store that has a peer of the region, even where that one has just left.
    if (region_.PeerOnStore(store.id) != nullptr) return true;
    return KeepsRules(Moved(after_, peer, store.id));
  }

  /// All rules stay satisfied, and none has its peers closer together than the region has them now. To ask where each
  /// peer goes is not enough: with another store or another leader the best fit may be one that shares out the peers in
  /// another way.
  [[nodiscard]] bool KeepsRules(const Region& after) const {
    const RegionFit fit = context_.Fit(after);
    if (!fit.IsSatisfied()) return false;
    for (size_t i = 0; i < fit.rule_fits.size(); ++i) {
      const RuleFit& before = first_fit_.rule_fits[i];
      if (fit.rule_fits[i].isolation_score < before.isolation_score) return false;
      // Scores weigh one pair of stores against another; a level is for each pair.
      if (SharesLevel(fit.rule_fits[i]) && !SharesLevel(before)) return false;
    }
    return true;
  }

  /// Two peers of the rule are not as far apart as its isolation level asks for.
  [[nodiscard]] bool SharesLevel(const RuleFit& rule_fit) const {
    const Rule& rule = *rule_fit.rule;
    if (rule.isolation_level.empty()) return false;
    const std::vector<const Store*> stores = StoresOf(context_.view, rule_fit.peers);
    for (size_t i = 0; i < stores.size(); ++i) {
      if (SharesIsolationLevel(rule.location_labels, rule.isolation_level,
                               std::span(stores).subspan(i + 1), *stores[i])) {
        return true;
      }
    }
    return false;
  }

  /// By its role and by the rule that it served where it was; with it as leader the rules have to hold. A peer that
  /// moves comes with its data; one that stays behind or is gone could not take the lead.
  [[nodiscard]] bool MayLead(const Peer& peer) const {
    if (IsLearner(peer) || peer.role == PeerRole::kDemotingVoter || peer.witness) return false;
    if (after_.IsPending(peer.id) || after_.IsDown(peer.id)) return false;
    const Rule& rule = *first_fit_.FitOf(peer.id)->rule;
    if (rule.witness) return false;
    if (rule.role != RuleRole::kLeader && rule.role != RuleRole::kVoter) return false;
    Region led = after_;
    led.leader = peer;
    return KeepsRules(led);
  }

  const PlanContext& context_;
  const Region& region_;
  const ScatterCounts& counts_;
  const RegionFit& first_fit_;  // Of the region as it is.
  Region after_;                // With the moves so far.
  RegionFit fit_;               // Of `after_`.
  std::set<StoreId> selected_;  // Each was somebody's choice.
};

void SetPlaces(const Region& region, ScatterPlan& plan) {
  plan.stores.clear();
  for (const Peer& peer : region.peers) plan.stores.push_back(peer.store);
  std::ranges::sort(plan.stores);
  plan.leader = region.leader.store;
}

ScatterPlan Refused(Reason reason, const Region& region, std::string detail = {}) {
  ScatterPlan plan;
  plan.refusal = Refusal{reason, StoreId{}, region.id, 0, 0, std::move(detail)};
  return plan;
}

}  // namespace

ScatterPlan PlanScatter(const PlanContext& context, const Region& region, const std::string& group,
                        const ScatterCounts& counts) {
  const RegionFit fit = context.Fit(region);
  if (!fit.IsSatisfied()) return Refused(Reason::kRegionNotReplicated, region);
  if (!region.HasLeader()) return Refused(Reason::kRegionNoLeader, region);
  if (RefuseAffinityRegion(context, region)) {
    ScatterPlan plan;  // Not counted: it is not there for the group's sake.
    plan.outcome = ScatterOutcome::kInPlace;
    return plan;
  }
  Scattering scattering(context, region, fit, counts);
  scattering.PlacePeers();
  const StoreId leader = scattering.ChooseLeader();
  if (!leader) return Refused(Reason::kNoTarget, region, "no peer may lead");

  ScatterPlan plan;
  SetPlaces(region, plan);
  const std::map<StoreId, Peer> targets = scattering.Targets();
  std::vector<StoreId> stores;
  for (const auto& [store, peer] : targets) stores.push_back(store);
  plan.leader_picked_count = counts.LeadersOn(leader);
  if (stores == plan.stores && leader == plan.leader) {
    plan.outcome = ScatterOutcome::kInPlace;
    return plan;
  }
  Result<Proposal> built =
      Builder(context, "scatter-region", region)
          .SetPeers(targets)
          .SetLeader(leader)
          .ForceLeader()
          .SetWhy("group " + group + ", which has picked store " + std::to_string(leader.value) +
                  " for " + std::to_string(plan.leader_picked_count) + " leaders")
          .Build(Kind::kAdmin, Priority::kHigh);
  if (!built) {
    plan.refusal = Refusal{Reason::kBuildFailed, StoreId{}, region.id, 0, 0, built.error().context};
    plan.leader_picked_count = counts.LeadersOn(plan.leader);
    return plan;
  }
  plan.outcome = ScatterOutcome::kMove;
  plan.proposal = *std::move(built);
  plan.proposal->group = group;
  plan.stores = std::move(stores);
  plan.leader = leader;
  return plan;
}

void Record(const ScatterPlan& plan, ScatterCounts& counts) {
  counts.Add(plan.stores, plan.leader);
}

}  // namespace scheduler

#include "scheduler/scatter/scattering.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "scheduler/filters/store_filter.h"
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

void SetPlaces(const Region& region, ScatterPlan& plan) {
  plan.stores.clear();
  for (const Peer& peer : region.peers) plan.stores.push_back(peer.store);
  std::ranges::sort(plan.stores);
  plan.leader = region.leader.store;
}

}  // namespace

Scattering::Scattering(const PlanContext& context, const Region& region, const RegionFit& fit,
                       const ScatterCounts& counts)
    : context_(context),
      region_(region),
      counts_(counts),
      first_fit_(fit),
      after_(PlacementOf(region)),
      fit_(fit) {}

void Scattering::PlacePeers() {
  std::vector<Peer> peers = region_.peers;
  std::ranges::sort(peers, {}, [&](const Peer& peer) {
    return std::make_tuple(EngineOf(*context_.view.FindStore(peer.store)), peer.store);
  });
  for (const Peer& peer : peers) Place(peer);
}

std::map<StoreId, Peer> Scattering::Targets() const {
  std::map<StoreId, Peer> targets;
  for (Peer peer : after_.peers) {
    if (region_.PeerOnStore(peer.store) == nullptr) peer.id = {};
    targets[peer.store] = peer;
  }
  return targets;
}

std::vector<Peer> Scattering::PlacedPeers() const {
  std::vector<Peer> peers = after_.peers;
  std::ranges::sort(peers, {}, &Peer::store);
  return peers;
}

void Scattering::Place(const Peer& peer) {
  // Another peer would have liked this store best: then the peer that is there stays, which comes to the same.
  if (selected_.contains(peer.store)) return;
  if (!MayLeave(peer)) {
    selected_.insert(peer.store);
    return;
  }
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

/// The best of the stores where the peer would gain; its own one when there is none.
StoreId Scattering::Choose(const Peer& peer) const {
  const Store& own = *context_.view.FindStore(peer.store);
  const Store* best = nullptr;
  for (const Store& store : context_.view.stores()) {
    if (!IsGain(own, store)) continue;
    if (best != nullptr && !IsBetter(store, *best)) continue;
    if (MayTake(peer, own, store)) best = &store;
  }
  return best == nullptr ? own.id : best->id;
}

bool Scattering::MayTake(const Peer& peer, const Store& own, const Store& store) const {
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
bool Scattering::KeepsRules(const Region& after) const {
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
bool Scattering::SharesLevel(const RuleFit& rule_fit) const {
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

bool Scattering::MayLead(const Peer& peer) const {
  if (IsLearner(peer) || peer.role == PeerRole::kDemotingVoter || peer.witness) return false;
  if (after_.IsPending(peer.id) || after_.IsDown(peer.id)) return false;
  const Rule& rule = *first_fit_.FitOf(peer.id)->rule;
  if (rule.witness) return false;
  if (rule.role != RuleRole::kLeader && rule.role != RuleRole::kVoter) return false;
  Region led = after_;
  led.leader = peer;
  return KeepsRules(led);
}

ScatterPlan RefusedScatter(Reason reason, const Region& region, std::string detail) {
  ScatterPlan plan;
  plan.refusal = Refusal{reason, StoreId{}, region.id, 0, 0, std::move(detail)};
  return plan;
}

std::optional<ScatterPlan> SettleScatter(const PlanContext& context, const Region& region,
                                         const RegionFit& fit) {
  if (!fit.IsSatisfied()) return RefusedScatter(Reason::kRegionNotReplicated, region);
  if (!region.HasLeader()) return RefusedScatter(Reason::kRegionNoLeader, region);
  if (!RefuseAffinityRegion(context, region)) return {};
  ScatterPlan plan;  // Not counted: it is not there for the group's sake.
  plan.outcome = ScatterOutcome::kInPlace;
  return plan;
}

ScatterPlan PlanPlaces(const Scattering& scattering, StoreId leader, const std::string& group,
                       Builder& builder, Kind kind) {
  const Region& region = scattering.region();
  ScatterPlan plan;
  SetPlaces(region, plan);
  const std::map<StoreId, Peer> targets = scattering.Targets();
  std::vector<StoreId> stores;
  stores.reserve(targets.size());
  for (const auto& [store, peer] : targets) stores.push_back(store);
  if (stores == plan.stores && leader == plan.leader) {
    plan.outcome = ScatterOutcome::kInPlace;
    return plan;
  }
  builder.SetPeers(targets).SetLeader(leader).LightAdd();
  Result<Proposal> built = builder.Build(kind, Priority::kHigh);
  if (!built) {
    plan.refusal = Refusal{Reason::kBuildFailed, StoreId{}, region.id, 0, 0, built.error().context};
    return plan;
  }
  plan.outcome = ScatterOutcome::kMove;
  plan.proposal = *std::move(built);
  plan.proposal->group = group;
  plan.stores = std::move(stores);
  plan.leader = leader;
  return plan;
}

}  // namespace scheduler

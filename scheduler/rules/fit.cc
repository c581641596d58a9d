#include "scheduler/rules/fit.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "scheduler/rules/fit_flow.h"
#include "scheduler/rules/fit_search.h"
#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

std::vector<FitCandidate> SortedCandidates(const ClusterView& view, const Region& region) {
  std::vector<FitCandidate> candidates;
  candidates.reserve(region.peers.size());
  for (const Peer& peer : region.peers) {
    const Store* store = view.FindStore(peer.store);
    const bool leaves = store == nullptr || store->IsRemoving() || store->IsRemoved();
    int health = leaves ? 2 : 3;
    if (region.IsPending(peer.id)) health = 1;
    if (region.IsDown(peer.id)) health = 0;
    candidates.push_back({&peer, store, health, peer.id == region.leader.id});
  }
  std::ranges::sort(candidates, {}, [](const FitCandidate& c) {
    return std::make_tuple(-c.health, !c.leads, c.peer->id);
  });
  return candidates;
}

bool HasDifferentRole(const Rule& rule, const Peer& peer, const Peer& leader, Witnesses witnesses) {
  const bool wants_witness = rule.witness && witnesses == Witnesses::kAllowed;
  return !MatchesRole(peer, leader, rule.role) || peer.witness != wants_witness;
}

FitDemand DemandOf(const Rule& rule, const Peer& leader,
                   const std::vector<FitCandidate>& candidates, Witnesses witnesses) {
  FitDemand demand{&rule, 0, {}};
  demand.options.reserve(candidates.size());
  for (size_t i = 0; i < candidates.size(); ++i) {
    const FitCandidate& candidate = candidates[i];
    if (candidate.store == nullptr || (rule.witness && candidate.leads)) continue;
    if (!MatchesConstraints(*candidate.store, rule.constraints)) continue;
    const uint64_t load = rule.witness ? candidate.store->counts.witnesses : 0;
    demand.options.push_back({i, HasDifferentRole(rule, *candidate.peer, leader, witnesses),
                              static_cast<int64_t>(load)});
  }
  demand.count = std::min<uint64_t>(rule.count, demand.options.size());
  return demand;
}

/// The assignment when there is no choice: no rule has more options than it asks for, no peer is wanted twice. That is
/// the usual case, and spares it the search.
std::optional<FitAssignment> AssignWithoutChoice(const FitProblem& problem) {
  FitAssignment assignment(problem.candidates.size(), kOrphan);
  for (size_t i = 0; i < problem.demands.size(); ++i) {
    const FitDemand& demand = problem.demands[i];
    if (demand.options.size() > demand.count) return std::nullopt;
    for (const FitOption& option : demand.options) {
      size_t& serves = assignment[option.candidate];
      if (serves != kOrphan) return std::nullopt;
      serves = i;
    }
  }
  return assignment;
}

FitAssignment BestAssignment(const FitProblem& problem) {
  if (auto assignment = AssignWithoutChoice(problem)) return *std::move(assignment);
  FlowFit flow = FitByFlow(problem);
  if (flow.exact) return std::move(flow.assignment);
  return SearchFit(problem, std::move(flow.assignment));
}

RuleFit RuleFitOf(const FitProblem& problem, size_t rule, const FitAssignment& assignment) {
  const FitDemand& demand = problem.demands[rule];
  std::vector<FitOption> taken;
  taken.reserve(demand.count);
  for (const FitOption& option : demand.options) {
    if (assignment[option.candidate] == rule) taken.push_back(option);
  }
  std::ranges::sort(taken, {}, [&](const FitOption& option) {
    const FitCandidate& candidate = problem.candidates[option.candidate];
    return std::make_tuple(-candidate.health, candidate.peer->id);
  });
  RuleFit fit;
  fit.rule = demand.rule;
  fit.peers.reserve(taken.size());
  std::vector<const Store*> stores;
  stores.reserve(taken.size());
  for (const FitOption& option : taken) {
    const FitCandidate& candidate = problem.candidates[option.candidate];
    fit.peers.push_back(*candidate.peer);
    if (option.different_role) fit.different_role.push_back(*candidate.peer);
    stores.push_back(candidate.store);
  }
  fit.isolation_score = IsolationScore(demand.rule->location_labels, stores);
  return fit;
}

}  // namespace

bool RegionFit::IsSatisfied() const {
  return !rule_fits.empty() && orphans.empty() &&
         std::ranges::all_of(rule_fits, [](const RuleFit& fit) { return fit.IsSatisfied(); });
}

const RuleFit* RegionFit::FitOf(PeerId peer) const {
  for (const RuleFit& fit : rule_fits) {
    if (std::ranges::find(fit.peers, peer, &Peer::id) != fit.peers.end()) return &fit;
  }
  return nullptr;
}

RegionFit FitRegion(const ClusterView& view, const std::vector<const Rule*>& rules,
                    const Region& region, Witnesses witnesses) {
  FitProblem problem{SortedCandidates(view, region), {}};
  problem.demands.reserve(rules.size());
  for (const Rule* rule : rules) {
    problem.demands.push_back(DemandOf(*rule, region.leader, problem.candidates, witnesses));
  }
  const FitAssignment assignment = BestAssignment(problem);
  RegionFit fit;
  fit.rule_fits.reserve(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    fit.rule_fits.push_back(RuleFitOf(problem, i, assignment));
  }
  for (size_t i = 0; i < problem.candidates.size(); ++i) {
    if (assignment[i] == kOrphan) fit.orphans.push_back(*problem.candidates[i].peer);
  }
  return fit;
}

std::vector<const Store*> StoresOf(const ClusterView& view, const std::vector<Peer>& peers) {
  std::vector<const Store*> stores;
  stores.reserve(peers.size());
  for (const Peer& peer : peers) {
    const Store* store = view.FindStore(peer.store);
    if (store != nullptr) stores.push_back(store);
  }
  return stores;
}

bool MayReplace(const ClusterView& view, const RegionFit& fit, StoreId from, const Store& to) {
  const auto holds = [](const RuleFit& rule_fit, StoreId store) {
    return std::ranges::find(rule_fit.peers, store, &Peer::store) != rule_fit.peers.end();
  };
  const auto source =
      std::ranges::find_if(fit.rule_fits, [&](const RuleFit& f) { return holds(f, from); });
  if (source == fit.rule_fits.end()) return false;
  const auto target =
      std::ranges::find_if(fit.rule_fits, [&](const RuleFit& f) { return holds(f, to.id); });
  if (target == source) return true;
  if (target != fit.rule_fits.end() && target->rule->role == source->rule->role) return true;
  if (!MatchesConstraints(to, source->rule->constraints)) return false;
  std::vector<const Store*> stores = StoresOf(view, source->peers);
  std::erase_if(stores, [&](const Store* store) { return store->id == from; });
  stores.push_back(&to);
  return IsolationScore(source->rule->location_labels, stores) >= source->isolation_score;
}

}  // namespace scheduler

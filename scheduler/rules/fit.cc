#include "scheduler/rules/fit.h"

#include <algorithm>
#include <tuple>

#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

struct Candidate {
  const Peer* peer;
  const Store* store;  // Null when unknown: fits no rule.
  int health;          // 3 fine, 2 on a store that leaves, 1 pending, 0 down.
  bool leads = false;
  bool taken = false;
};

std::vector<Candidate> SortedCandidates(const ClusterView& view, const Region& region) {
  std::vector<Candidate> candidates;
  for (const Peer& peer : region.peers) {
    const Store* store = view.FindStore(peer.store);
    const bool leaves = store == nullptr || store->IsRemoving() || store->IsRemoved();
    int health = leaves ? 2 : 3;
    if (region.IsPending(peer.id)) health = 1;
    if (region.IsDown(peer.id)) health = 0;
    candidates.push_back({&peer, store, health, peer.id == region.leader.id});
  }
  std::ranges::sort(candidates, {}, [](const Candidate& c) {
    return std::make_tuple(-c.health, !c.leads, c.peer->id);
  });
  return candidates;
}

/// Chooses for one rule from the free candidates.
class RulePicker {
 public:
  RulePicker(const Rule& rule, const Peer& leader, std::vector<Candidate>& candidates)
      : rule_(rule), leader_(leader) {
    for (Candidate& candidate : candidates) {
      if (candidate.taken || candidate.store == nullptr) continue;
      if (rule.witness && candidate.peer->id == leader.id) continue;
      if (MatchesConstraints(*candidate.store, rule.constraints)) free_.push_back(&candidate);
    }
  }

  RuleFit Pick() {
    TakeBest(true);
    TakeBest(false);
    // Swaps change which peers of a role are in, never how many.
    for (size_t round = 0; round < kSwapRoundsMax && SwapOnce(); ++round) {
    }
    RuleFit fit;
    fit.rule = &rule_;
    std::ranges::sort(chosen_, {},
                      [](const Candidate* c) { return std::make_tuple(-c->health, c->peer->id); });
    for (const Candidate* candidate : chosen_) {
      fit.peers.push_back(*candidate->peer);
      if (!RoleFits(*candidate)) fit.different_role.push_back(*candidate->peer);
    }
    fit.isolation_score = IsolationScore(rule_.location_labels, Stores(chosen_));
    return fit;
  }

 private:
  static constexpr size_t kSwapRoundsMax = 16;

  [[nodiscard]] bool RoleFits(const Candidate& candidate) const {
    return MatchesRole(*candidate.peer, leader_, rule_.role) &&
           candidate.peer->witness == rule_.witness;
  }

  static std::vector<const Store*> Stores(const std::vector<Candidate*>& candidates) {
    std::vector<const Store*> stores;
    stores.reserve(candidates.size());
    for (const Candidate* candidate : candidates) stores.push_back(candidate->store);
    return stores;
  }

  void TakeBest(bool role_fits) {
    while (chosen_.size() < rule_.count) {
      Candidate* best = nullptr;
      double best_gain = -1;
      const std::vector<const Store*> stores = Stores(chosen_);
      for (Candidate* candidate : free_) {
        if (candidate->taken || RoleFits(*candidate) != role_fits) continue;
        const double gain = DistinctScore(rule_.location_labels, stores, *candidate->store);
        if (gain > best_gain) {
          best = candidate;
          best_gain = gain;
        }
      }
      if (best == nullptr) return;
      best->taken = true;
      chosen_.push_back(best);
    }
  }

  /// One swap that raises the isolation score between peers that fit the role equally well; false when there is none.
  bool SwapOnce() {
    for (Candidate*& inside : chosen_) {
      for (Candidate* outside : free_) {
        if (outside->taken || RoleFits(*inside) != RoleFits(*outside)) continue;
        const std::vector<const Store*> rest = StoresWithout(inside);
        if (DistinctScore(rule_.location_labels, rest, *outside->store) <=
            DistinctScore(rule_.location_labels, rest, *inside->store)) {
          continue;
        }
        inside->taken = false;
        outside->taken = true;
        inside = outside;
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] std::vector<const Store*> StoresWithout(const Candidate* left_out) const {
    std::vector<const Store*> stores;
    for (const Candidate* candidate : chosen_) {
      if (candidate != left_out) stores.push_back(candidate->store);
    }
    return stores;
  }

  const Rule& rule_;
  const Peer& leader_;
  std::vector<Candidate*> free_;  // Healthy first, the leader before others: ties go to the first.
  std::vector<Candidate*> chosen_;
};

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
                    const Region& region) {
  std::vector<Candidate> candidates = SortedCandidates(view, region);
  RegionFit fit;
  for (const Rule* rule : rules) {
    fit.rule_fits.push_back(RulePicker(*rule, region.leader, candidates).Pick());
  }
  for (const Candidate& candidate : candidates) {
    if (!candidate.taken) fit.orphans.push_back(*candidate.peer);
  }
  return fit;
}

std::vector<const Store*> StoresOf(const ClusterView& view, const std::vector<Peer>& peers) {
  std::vector<const Store*> stores;
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

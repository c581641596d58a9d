#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/model/cluster_view.h"
#include "scheduler/rules/rule.h"

namespace scheduler {

/// The peers that fulfil one rule.
struct RuleFit {
  const Rule* rule = nullptr;
  std::vector<Peer> peers;  // At most rule->count; those of another role included.
  /// Those among `peers` that first need another role, or to become a witness, or none.
  std::vector<Peer> different_role;
  double isolation_score = 0;

  [[nodiscard]] bool IsSatisfied() const {
    return peers.size() == rule->count && different_role.empty();
  }
};

/// How the peers of a region fulfil its rules. The rules must outlive it.
struct RegionFit {
  std::vector<RuleFit> rule_fits;  // In the order of the rules.
  std::vector<Peer> orphans;       // Peers that no rule needs; healthy ones first, then by id.

  [[nodiscard]] bool IsSatisfied() const;
  /// The rule fit that holds the peer with this id, or null.
  [[nodiscard]] const RuleFit* FitOf(PeerId peer) const;
};

/// Whether peers may be witnesses. Where none may, rules that ask for them take ordinary peers.
enum class Witnesses : uint8_t { kAllowed, kNone };

/// Assigns peers to rules, each to one at most. A rule may take peers whose store meets its constraints; a witness rule
/// never takes the leader. All assignments are compared rule by rule, in order, and in each rule by: most peers; fewest
/// of another role (being a witness or not is part of it); highest isolation score; for a witness rule, fewest
/// witnesses on the stores. The best one wins; so a rule leaves to later ones what it can do without. On complete ties
/// the better peers serve, and the better of them serve the earlier rules: the healthier peer (fine, then on a store
/// that leaves, then pending, then down), then the leader, then the smaller id.
///
/// The reference tries all assignments. Here the best is found as a flow of least cost (fit_flow.h), exactly, as long
/// as the location labels of the stores form a tree, which failure domains do; microseconds for a usual region. Where
/// labels are missing and no tree is left, a bounded search (fit_search.h) goes on from there: exact with up to seven
/// peers and six rules, the best of what it saw beyond. When there is nothing to choose, neither runs.
RegionFit FitRegion(const ClusterView& view, const std::vector<const Rule*>& rules,
                    const Region& region, Witnesses witnesses = Witnesses::kAllowed);

/// May the peer on store `from` move to store `to` without making any rule worse off? In order: `to` already serves
/// the same rule, or a rule of the same role: yes; else `to` must meet the constraints, and the isolation score
/// must not fall. False when `from` serves no rule.
bool MayReplace(const ClusterView& view, const RegionFit& fit, StoreId from, const Store& to);

/// The stores of `peers` that the view knows.
std::vector<const Store*> StoresOf(const ClusterView& view, const std::vector<Peer>& peers);

}  // namespace scheduler

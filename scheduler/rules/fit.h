#pragma once

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

/// Assigns peers to rules: rule by rule, in order, each takes from the peers that are left and whose store meets its
/// constraints. The choice is best in this order: most peers; fewest of another role; highest isolation score; and on
/// ties the healthier peer (fine, then on a store that leaves, then pending, then down), then the leader, then the
/// smaller id.
///
/// The reference tries all subsets. Here each peer is taken by its gain in isolation: with location labels that
/// form a tree, which is what failure domains are, the score is a laminar concave function of the chosen set and
/// the greedy choice is exactly the best one; where labels are missing, swaps of single peers repair what greed
/// missed. Cost O(rules * peers^2 * labels), a small bounded number of times more with missing labels.
RegionFit FitRegion(const ClusterView& view, const std::vector<const Rule*>& rules,
                    const Region& region);

/// May the peer on store `from` move to store `to` without making any rule worse off? In order: `to` already serves
/// the same rule, or a rule of the same role: yes; else `to` must meet the constraints, and the isolation score
/// must not fall. False when `from` serves no rule.
bool MayReplace(const ClusterView& view, const RegionFit& fit, StoreId from, const Store& to);

/// The stores of `peers` that the view knows.
std::vector<const Store*> StoresOf(const ClusterView& view, const std::vector<Peer>& peers);

}  // namespace scheduler

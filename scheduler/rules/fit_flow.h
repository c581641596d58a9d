#pragma once

#include "scheduler/rules/fit_problem.h"

namespace scheduler {

struct FlowFit {
  FitAssignment assignment;
  bool exact = true;  // False when the location labels of some rule form no tree.
};

/// The best assignment, found as a flow of least cost.
///
/// One unit of flow is one peer. It runs from the source to a rule, down the tree of the rule's failure domains (a
/// zone, a rack in it, ...) to a peer, and on to the sink; a peer passes one unit, so it serves one rule. The n-th unit
/// through a domain costs n-1 times the weight of its level: that sums up to the pairs of peers that share the domain,
/// which is what the isolation score lacks to its maximum. As these costs grow with n, least cost is what the method
/// below finds.
///
/// Costs are vectors, compared from the front, so that an earlier component outweighs all later ones:
///
///     for each rule, in order: [peers and their role] [shared domains] [load of witnesses]
///     then, for ties:          [which peers serve at all] [which serve rule 1] [which serve rule 2] ...
///
/// Shortest path first (Bellman-Ford, since units already placed may be taken back at negative cost), until no path
/// lowers the cost: exact for any ordered costs. P peers and R rules make E <= 3 * P * R edges; the cost is
/// O(P * E * R) times the rounds of Bellman-Ford, which are few.
///
/// A store without a label does not differ from any other there. Where that makes failure domains overlap there is no
/// tree; then the store is put into one of them, and the answer, though good, need not be the best one.
///
/// Isolation counts as many labels as 62 bits can weigh: the nine widest ones with up to 461 peers.
FlowFit FitByFlow(const FitProblem& problem);

}  // namespace scheduler

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/store.h"
#include "scheduler/rules/rule.h"

namespace scheduler {

// The question behind FitRegion, as its solvers see it: which candidate goes to which rule.

/// A peer of the region.
struct FitCandidate {
  const Peer* peer;
  const Store* store;  // Null when unknown: fits no rule.
  int health;          // 3 fine, 2 on a store that leaves, 1 pending, 0 down.
  bool leads;
};

/// A candidate that a rule may take.
struct FitOption {
  size_t candidate;
  bool different_role;
  int64_t witness_load;  // Witnesses on the store when the rule wants witnesses, else 0.
};

/// What one rule asks for.
struct FitDemand {
  const Rule* rule;
  size_t count;                    // min(rule->count, options.size())
  std::vector<FitOption> options;  // By ascending candidate.
};

struct FitProblem {
  std::vector<FitCandidate> candidates;  // In the order in which ties prefer them.
  std::vector<FitDemand> demands;        // In the order of the rules.
};

/// For each candidate the number of the demand that it serves, or kOrphan.
using FitAssignment = std::vector<size_t>;
inline constexpr size_t kOrphan = std::numeric_limits<size_t>::max();

}  // namespace scheduler

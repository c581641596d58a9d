#pragma once

#include <optional>
#include <string>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/hot_region_config.h"
#include "scheduler/schedulers/hot_region_loads.h"
#include "scheduler/schedulers/hot_region_rank.h"

namespace scheduler {

/// The two dimensions that a task goes by, the more important one first.
struct HotPriorities {
  LoadDim first = LoadDim::kByte;
  LoadDim second = LoadDim::kKey;
};
HotPriorities PrioritiesOf(const HotRegionConfig& config, HotTask task);

/// One hot peer on its way, with its region as it was seen.
struct HotPick {
  HotPeer peer;
  Region region;
};

/// The best that a task can do.
struct HotPlan {
  const HotStore* source = nullptr;
  const HotStore* target = nullptr;  // Null: the region is to be split.
  HotPick moved;
  std::optional<HotPick> exchanged;  // Moves from the target to the source.
  MoveRank rank;
};

/// Compares plans of one priority order; also those of two tasks for the same loads.
class PlanOrder {
 public:
  PlanOrder(const HotRegionConfig& config, HotPriorities priorities, const Load& highest)
      : config_(config), priorities_(priorities), highest_(highest) {}

  /// What is better, in this order: a split; the rank; no exchange; the store with more load that gives; the one with
  /// less that takes; a peer of the better size: near balance a small one, far from it a large one. False on ties.
  [[nodiscard]] bool Better(const HotPlan& plan, const HotPlan& other) const;

 private:
  [[nodiscard]] int CompareStores(const HotPlan& plan, const HotPlan& other) const;
  [[nodiscard]] bool BetterPeer(const HotPlan& plan, const HotPlan& other) const;
  /// Numbers that differ by less than a step are the same.
  [[nodiscard]] double StoreStep(LoadDim dim) const;

  const HotRegionConfig& config_;
  HotPriorities priorities_;
  Load highest_;
};

/// The least rate that counts in a dimension.
double RateMin(const HotRegionConfig& config, LoadDim dim);

/// Searches one field for the best plan. Every store that gives nothing gets a refusal.
///
/// Cost: looks at the ten stores with the most load that may give, at most max-peer-number of their peers, and at each
/// store that may take; numbers alone as long as they do not promise more than what is found already. For exchanges at
/// the 32 hottest peers of a store and the ten that may take with the least load. Whether a peer may go where the
/// numbers want it is asked at most 64 times for a peer (a kNoRegion says so), and for no more peers of a store after
/// 640 times (a kNoTarget). Half of them go to the first in order, the others to other ones each second.
std::optional<HotPlan> SearchHotPlan(const PlanContext& context, const HotRegionConfig& config,
                                     const HotRegionMemory& memory, const HotField& field,
                                     Decision& decision);

}  // namespace scheduler

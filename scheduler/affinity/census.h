#pragma once

#include <map>
#include <optional>
#include <string>

#include "scheduler/affinity/affinity_group.h"
#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// Counts the regions of all groups, some at a time, over and over. It remembers where it is and what it has counted of
/// the group at hand, so that memory grows with groups, not with regions. For one thread.
class AffinityCensus {
 public:
  using Counts = std::map<std::string, AffinityCounts, std::less<>>;  // By group.

  /// Looks at the next regions, at most `count_max`. True when this was the end of a round: each group that was there
  /// all the time has been counted once, and the next step begins anew. A region is counted for the group that its
  /// label names.
  bool Step(const PlanContext& context, size_t count_max);
  /// Of each group by its last count; groups that went have none.
  [[nodiscard]] const Counts& counts() const { return counts_; }
  void Clear();

 private:
  struct Position {
    std::string group;
    size_t range = 0;
    std::string key;
  };

  /// The range to go on in, or null at the end of a round. A group that has been walked through shows its counts.
  const KeyRange* Seek(const PlanContext& context);
  void CountOne(const PlanContext& context, const Region& region);

  std::optional<Position> at_;  // None: before the first group.
  AffinityCounts counting_;
  Counts counts_;
};

}  // namespace scheduler

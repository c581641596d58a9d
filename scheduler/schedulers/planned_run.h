#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// What one run of a scheduler has come to so far: each region is proposed once, and each plan is made with those
/// before it in mind.
class PlannedRun {
 public:
  explicit PlannedRun(const PlanContext& context)
      : context_(context), influence_(context.influence) {}

  /// That of the running operators and of what this run has proposed.
  [[nodiscard]] const Influence& influence() const { return influence_; }
  /// Only the latter.
  [[nodiscard]] const Influence& proposed() const { return proposed_; }
  [[nodiscard]] size_t proposals() const { return decision_.proposals.size(); }
  [[nodiscard]] Decision& decision() { return decision_; }

  /// An operator has the region, or this run does.
  [[nodiscard]] std::optional<Refusal> RefuseTaken(const Region& region) const;
  /// Takes the proposal, or notes why it could not be built. Whether it could.
  bool Take(const Region& region, Result<Proposal> built);
  /// A move from `source` to `target` would not be worth it: scores with what is tolerated.
  void RefuseBalanced(StoreId source, StoreId target, RegionId region, double source_score,
                      double target_score);
  /// Notes a refusal without numbers; false.
  bool Refuse(Reason reason, StoreId store, RegionId region = {});

 private:
  const PlanContext& context_;
  Influence influence_;
  Influence proposed_;
  std::set<RegionId> taken_;
  Decision decision_;
};

/// Of stores with the same score that with the higher id comes first. Asks for each score once.
template <class ScoreOf>
void SortByFallingScore(std::vector<const Store*>& stores, const ScoreOf& score_of) {
  std::vector<std::pair<double, const Store*>> scored;
  scored.reserve(stores.size());
  for (const Store* store : stores) scored.emplace_back(score_of(*store), store);
  std::ranges::sort(scored, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id > b.second->id;
  });
  std::ranges::transform(scored, stores.begin(), [](const auto& entry) { return entry.second; });
}

}  // namespace scheduler

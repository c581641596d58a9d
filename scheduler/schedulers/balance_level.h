#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// Where the stores will meet: the score that each would have if all that they hold together were shared out so that
/// all scores are alike. What a store below it gives away, it will have to get back from those above it, which are held
/// up for the moment: by a limit, or by what is under way. (The reference lets it give.)
///
/// Rules and zones may keep stores from sharing: a store counts as below only if it is so both among all stores of its
/// engine and among those that agree with it in every label that rules go by.
///
/// A score is taken to grow with the amount as it does now. Made once a run: O(stores * labels).
class BalanceLevel {
 public:
  explicit BalanceLevel(const PlanContext& context);

  /// What a store holds, and its score with it, above 0. One that takes nothing has a part in what is shared out only.
  enum class Takes : uint8_t { kNothing, kItsShare };
  void Add(const Store& store, double amount, double score, Takes takes);
  [[nodiscard]] bool IsBelow(const Store& store, double score) const;
  /// The lower of the two, which a store has to reach; for people.
  [[nodiscard]] double LevelFor(const Store& store) const;

 private:
  struct Share {
    double amount = 0;
    double per_score = 0;  // The amount that one more on the level adds.

    [[nodiscard]] double level() const { return per_score > 0 ? amount / per_score : 0; }
  };

  [[nodiscard]] std::string ClassOf(const Store& store) const;

  std::vector<std::string> keys_;
  std::map<bool, Share> engines_;  // By IsTiFlash().
  std::map<std::string, Share> classes_;
};

}  // namespace scheduler

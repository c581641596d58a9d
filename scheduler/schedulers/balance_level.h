#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/hold_back_memory.h"

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
  /// That among its like and that of its engine.
  struct Levels {
    double lower = 0;    // Below it a store has something to get yet ...
    double higher = 0;   // ... and above it something to give away again.
    bool alone = false;  // None is like it: the lower one may be its own score.
  };
  [[nodiscard]] Levels LevelsFor(const Store& store) const;

 private:
  struct Share {
    double amount = 0;
    double per_score = 0;  // The amount that one more on the level adds.
    size_t stores = 0;

    [[nodiscard]] double level() const { return per_score > 0 ? amount / per_score : 0; }
  };

  [[nodiscard]] std::string ClassOf(const Store& store) const;

  std::vector<std::string> keys_;
  std::map<bool, Share> engines_;  // By IsTiFlash().
  std::map<std::string, Share> classes_;
};

/// Keeps the stores that are not above the level from giving, in one run of a scheduler, and those that have reached it
/// from taking; see HoldBackMemory for when that is in vain.
class HoldBack {
 public:
  HoldBack(const PlanContext& context, HoldBackMemory& memory)
      : now_(context.now),
        memory_(memory),
        in_vain_(memory.StartRun(context.now)),
        level_(context) {}

  /// To which the stores are added, all before the first is asked for.
  [[nodiscard]] BalanceLevel& level() { return level_; }
  /// What the store gives would not have to come back; else `decision` says so. The score is that which was added.
  bool MayGive(const Store& source, double score, Decision& decision);
  /// What the store takes would not have to go on, to one that has nothing to take over yet; as above. The score is
  /// that with all that is under way.
  bool MayTake(const Store& target, double score, Decision& decision);
  /// A run that proposed as many as it may, `batch`, did not ask all.
  void EndRun(size_t proposals, size_t batch) {
    memory_.EndRun({proposals, held_back_, full_, proposals < batch}, now_);
  }

 private:
  const Instant now_;
  HoldBackMemory& memory_;
  const HoldBackMemory::InVain in_vain_;
  bool held_back_ = false;
  bool full_ = false;
  BalanceLevel level_;
};

}  // namespace scheduler

#pragma once

#include <utility>

#include "scheduler/filters/plan_context.h"

namespace scheduler {

/// When a move is worth it (as in the reference). Both stores are judged as if the move had been made, plus a
/// tolerance, plus what running operators will still change: a move that would soon have to be taken back is not made.
struct BalanceVerdict {
  double source_score = 0;
  double target_score = 0;

  [[nodiscard]] bool Worthwhile() const { return source_score > target_score; }
};

/// The store that is best by some measure, and the one behind it: for a store that is the best itself, the best other.
class BestOther {
 public:
  void Offer(const Store& store, double measure) {
    if (first_ == nullptr || measure > first_measure_) {
      second_ = std::exchange(first_, &store);
      second_measure_ = std::exchange(first_measure_, measure);
    } else if (second_ == nullptr || measure > second_measure_) {
      second_ = &store;
      second_measure_ = measure;
    }
  }
  [[nodiscard]] bool Holds(const Store& store) const {
    return (first_ != nullptr && first_->id == store.id) ||
           (second_ != nullptr && second_->id == store.id);
  }
  /// Null when there is none.
  [[nodiscard]] const Store* Than(const Store& store) const {
    return first_ == nullptr || first_->id != store.id ? first_ : second_;
  }

 private:
  const Store* first_ = nullptr;
  const Store* second_ = nullptr;
  double first_measure_ = 0;
  double second_measure_ = 0;
};

/// How leaders are weighed. A store may have as many more than another as `tolerant-size-ratio` says on each side; left
/// to itself, a fiftieth of what a store leads on average, at least one and at most five (always five in the reference,
/// which leaves stores of a hundred leaders a tenth apart). By size policy it is as with regions.
///
/// Made once a run: O(stores). `influence` is that of the running operators and of what this run has proposed already.
class LeaderScale {
 public:
  explicit LeaderScale(const PlanContext& context);

  /// The score of a store that is to give a leader away, and of one that is to take it. A move is worthwhile if the
  /// former is higher.
  [[nodiscard]] double Source(const Influence& influence, const Store& store) const;
  [[nodiscard]] double Target(const Influence& influence, const Store& store) const;
  [[nodiscard]] BalanceVerdict Judge(const Influence& influence, const Store& source,
                                     const Store& target) const {
    return {Source(influence, source), Target(influence, target)};
  }
  /// What a store counts with among others: what it holds, and its score with that. Both with the tolerance added, at
  /// least one, so that a store without leaders has its part.
  [[nodiscard]] double Amount(const Store& store) const;
  [[nodiscard]] double Score(const Store& store) const;
  /// The same with what is under way.
  [[nodiscard]] double ScoreThen(const Influence& influence, const Store& store) const;

 private:
  [[nodiscard]] int64_t More() const { return tolerance_ > 0 ? tolerance_ : 1; }

  const PlanContext& context_;
  int64_t tolerance_;  // Leaders, or MiB by size policy.
};

/// How regions are weighed: the tolerance is the average region size times `tolerant-size-ratio`, which, left to
/// itself, grows with the region count (as in the reference). Of a region that is larger than the average, half its
/// size is tolerated at least, so that the move never has to be taken back.
class RegionScale {
 public:
  explicit RegionScale(const PlanContext& context);

  /// As with leaders; `moved_mib` is the size of the region, 0 if none is chosen yet.
  [[nodiscard]] double Source(const Influence& influence, const Store& store,
                              uint64_t moved_mib = 0) const;
  [[nodiscard]] double Target(const Influence& influence, const Store& store,
                              uint64_t moved_mib = 0) const;
  [[nodiscard]] BalanceVerdict Judge(const Influence& influence, const Store& source,
                                     const Store& target, uint64_t moved_mib) const {
    return {Source(influence, source, moved_mib), Target(influence, target, moved_mib)};
  }
  /// As with leaders.
  [[nodiscard]] double Amount(const Store& store) const;
  [[nodiscard]] double Score(const Store& store) const;

 private:
  [[nodiscard]] int64_t More() const { return tolerance_mib_ > 0 ? tolerance_mib_ : 1; }
  [[nodiscard]] int64_t Margin(const Influence& influence, const Store& store,
                               uint64_t moved_mib) const;

  const PlanContext& context_;
  int64_t tolerance_mib_;
};

/// The leaders (or MiB) that the running operators bring to a store.
int64_t LeaderDelta(const PlanContext& context, const StoreInfluence& influence);

}  // namespace scheduler

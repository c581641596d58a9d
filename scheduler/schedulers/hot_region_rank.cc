#include "scheduler/schedulers/hot_region_rank.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace scheduler {
namespace {

/// With what is on the way, taken many times when the loads are close, the source is still above the target: so moves
/// between stores that are nearly even come one after the other. For a move the other way round, of less than nothing,
/// the roles change.
bool IsTolerable(const MoveDim& dim, bool reversed) {
  double source = dim.source;
  double target = dim.target;
  double source_pending = dim.source_pending;
  double target_pending = dim.target_pending;
  if (reversed) {
    std::swap(source, target);
    std::swap(source_pending, target_pending);
  }
  if (source <= target) return false;
  const double amp = 1 + 2 * source / (source - target);
  return source - amp * source_pending > target + amp * target_pending;
}

// ---- Formula v1: by how much the ratio of the loads shrinks.

struct Gain {
  bool better = false;
  bool not_worse = false;
};

Gain GainV1(const HotRegionConfig& config, const MoveDim& dim) {
  const bool reversed = dim.rate < 0;
  const double rate = std::abs(dim.rate);
  const double from = reversed ? dim.target_high : dim.source_low;
  const double to = reversed ? dim.source_low : dim.target_high;
  const double ratio = (to + rate) / std::max(from - rate, 1.0);
  const bool hot = rate >= dim.rate_min;
  return {hot && ratio <= config.great_dec_ratio && IsTolerable(dim, reversed),
          !hot || ratio <= config.minor_dec_ratio};
}

MoveRank RankV1(const HotRegionConfig& config, RankBy by, const MoveDim& first,
                const MoveDim& second) {
  if (by == RankBy::kFirstOnly) {
    const bool helps = first.source_low - first.rate >= first.target_high + first.rate;
    return {helps && IsTolerable(first, false) ? 3 : -1};
  }
  const Gain a = GainV1(config, first);
  const Gain b = GainV1(config, second);
  if (a.better && b.better) return {4};
  if (a.better && b.not_worse) return {3};
  if (a.not_worse && b.better) return {2};
  if (a.better) return {1};
  return {b.better ? 0 : -1};
}

// ---- Formula v2: whether what moves lies between the least and the most that helps.

/// Stores count as even when the lower load is at least `balanced` of the higher one, as nearly even from
/// `pre_balanced` on. That they are already is judged a little more loosely than what a move must reach.
struct Ratios {
  explicit Ratios(double wanted)
      : balanced(wanted),
        pre_balanced(std::max(2 * wanted - 1, wanted - 0.1)),
        is_balanced(balanced - 0.02),
        is_pre_balanced(pre_balanced - 0.03) {}

  double balanced;
  double pre_balanced;
  double is_balanced;
  double is_pre_balanced;
};

/// How much of the way one dimension has to go for it to be felt, and the least share that is worth while.
struct Senses {
  double perceived = 0;
  double hot_min = 0;
};

struct Bounds {
  double better_min = 0;
  double better_max = 0;
  double kept_min = 0;  // Between these and the above nothing much changes.
  double kept_max = 0;
  bool undisturbed = false;  // Only while nothing is on the way.
};

/// A move from the higher to the lower store of this rate and more makes the lower one reach `ratio` of the higher.
double LeastFor(double high, double low, double ratio) {
  return (high * ratio - low) / (1 + ratio);
}
/// One of more than this lets the one that was higher fall below `ratio` of the other.
double MostFor(double high, double low, double ratio) { return (high - low * ratio) / (1 + ratio); }

int ScoreV2(const Ratios& ratios, const Senses& senses, const MoveDim& dim) {
  const bool reversed = dim.source_low < dim.target_high;
  const double high = reversed ? dim.target_high : dim.source_low;
  const double low = reversed ? dim.source_low : dim.target_high;
  const double rate = reversed ? -dim.rate : dim.rate;
  const double tenth = reversed ? dim.target_tenth : dim.source_tenth;
  const double balanced_min = LeastFor(high, low, ratios.balanced);
  const double balanced_max = MostFor(high, low, ratios.balanced);
  if (high * ratios.is_balanced <= low) {
    const bool kept = rate >= std::min(balanced_min, -dim.rate_min) && rate <= balanced_max;
    return kept ? 0 : -2;
  }
  Bounds bounds{balanced_min, balanced_max, 0, 0, true};
  if (high * ratios.is_pre_balanced <= low) {
    bounds.kept_min = std::min(LeastFor(high, low, ratios.pre_balanced), -dim.rate_min);
    bounds.kept_max = MostFor(high, low, ratios.pre_balanced);
  } else {
    const double spare = high - low - balanced_max;
    bounds.undisturbed = false;
    bounds.better_min = std::min({balanced_min * senses.perceived, low * senses.hot_min, tenth});
    bounds.better_max = balanced_max + senses.perceived * (spare - bounds.better_min);
    bounds.kept_min = -dim.rate_min;
    bounds.kept_max = balanced_max + senses.perceived * spare;
  }
  if (rate >= bounds.better_min && rate <= bounds.better_max) {
    const bool quiet = !bounds.undisturbed || dim.source_pending + dim.target_pending < 1;
    if (rate < dim.rate_min || !quiet || !IsTolerable(dim, reversed)) return 0;
    if (rate < balanced_min) return 2;
    return rate > balanced_max ? 1 : 3;
  }
  if (rate >= bounds.kept_min && rate < bounds.better_min) return 0;
  return rate > bounds.better_max && rate <= bounds.kept_max ? -1 : -2;
}

MoveRank RankV2(const HotRegionConfig& config, RankBy by, const MoveDim& first,
                const MoveDim& second) {
  const Ratios ratios(std::clamp(config.great_dec_ratio, 0.7, 0.95));
  MoveRank rank;
  rank.first = ScoreV2(ratios, {0.2, 0.02}, first);
  if (by == RankBy::kFirstOnly) {
    rank.rank = rank.first > 0 ? 3 : -1;
    return rank;
  }
  rank.second = ScoreV2(Ratios(ratios.pre_balanced), {0.3, 0.03}, second);
  if (rank.first > 0) {
    rank.rank = rank.second > 0 ? 4 : rank.second == 0 ? 3 : 2;
  } else if (rank.second > 0) {
    rank.rank = rank.first == 0 ? 1 : 0;
  }
  return rank;
}

}  // namespace

MoveRank RankMove(const HotRegionConfig& config, RankBy by, const MoveDim& first,
                  const MoveDim& second) {
  const bool small = std::abs(first.rate) < first.rate_min &&
                     (by == RankBy::kFirstOnly || std::abs(second.rate) < second.rate_min);
  if (small) return {};
  return FormulaOf(config) == RankFormula::kV1 ? RankV1(config, by, first, second)
                                               : RankV2(config, by, first, second);
}

bool ServesEvenDim(RankFormula formula, EvenDims even, int rank) {
  if (formula == RankFormula::kV1) {
    return (even.first && (rank == 1 || rank == 3)) || (even.second && rank == 2);
  }
  return (even.first && (rank == 2 || rank == 3)) || (even.second && rank == 1);
}

}  // namespace scheduler

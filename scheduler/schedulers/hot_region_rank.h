#pragma once

#include "scheduler/model/load.h"
#include "scheduler/schedulers/hot_region_config.h"

namespace scheduler {

/// How much better loads would be spread after a move of a hot peer from one store to another (as in the reference).
/// Pure numbers; hot_region_search.cc asks.

/// One dimension of a move.
struct MoveDim {
  double source = 0;  // Load now.
  double target = 0;
  double source_pending = 0;  // What is on its way to a store, or from it, without a sign.
  double target_pending = 0;
  double source_low = 0;    // The lesser of the load now and the load with what is on the way.
  double target_high = 0;   // The greater of the two.
  double rate = 0;          // What moves, less what comes back in exchange.
  double rate_min = 0;      // Less is not worth a move.
  double source_tenth = 0;  // Rate of the store's tenth hottest peer; infinity if it has fewer.
  double target_tenth = 0;
};

/// 4: both dimensions gain. 3: the first gains, the second stays. 2: the first gains. 1: the second gains, the first
/// stays. 0 and -1: no use. Under formula v1, 2 and 1 are the other way round, and 1 lets the second suffer.
struct MoveRank {
  int rank = -1;
  // Formula v2: how far each dimension gets. 3: even; 2: not yet; 1: beyond; 0 stays; -1 and -2 worse.
  int first = 0;
  int second = 0;

  friend bool operator==(const MoveRank&, const MoveRank&) = default;
};

/// What a region is split for ranks above all moves.
inline constexpr int kSplitRank = 5;

enum class RankFormula : uint8_t { kV1, kV2 };
inline RankFormula FormulaOf(const HotRegionConfig& config) {
  return config.rank_formula_version == "v1" ? RankFormula::kV1 : RankFormula::kV2;
}

/// Leaders of written regions are moved for the first dimension alone.
enum class RankBy : uint8_t { kBoth, kFirstOnly };

MoveRank RankMove(const HotRegionConfig& config, RankBy by, const MoveDim& first,
                  const MoveDim& second);

/// Whether moves of this rank serve a dimension in which the loads are even already.
struct EvenDims {
  bool first = false;
  bool second = false;
};
bool ServesEvenDim(RankFormula formula, EvenDims even, int rank);

/// A move may be planned: of rank 3 and more also one of two peers that change places.
constexpr bool IsWorthwhile(int rank, bool exchange) {
  return rank >= 3 || (rank > 0 && !exchange);
}

}  // namespace scheduler

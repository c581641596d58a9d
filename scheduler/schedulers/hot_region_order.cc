#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "scheduler/schedulers/hot_region_search.h"

namespace scheduler {
namespace {

/// Below 0: `a` is less by a step at least.
int CompareBySteps(double a, double b, double step) {
  const double x = std::floor(a / step);
  const double y = std::floor(b / step);
  if (x == y) return 0;
  return x < y ? -1 : 1;
}

double StepRatio(const HotRegionConfig& config, LoadDim dim) {
  switch (dim) {
    case LoadDim::kByte:
      return config.byte_rate_rank_step_ratio;
    case LoadDim::kKey:
      return config.key_rate_rank_step_ratio;
    case LoadDim::kQuery:
      return config.query_rate_rank_step_ratio;
    case LoadDim::kCpu:
      return config.cpu_rate_rank_step_ratio;
  }
  return 0;
}

double RateOf(const HotPlan& plan, LoadDim dim) {
  const double back = plan.exchanged ? plan.exchanged->peer.load[dim] : 0;
  return plan.moved.peer.load[dim] - back;
}

}  // namespace

double RateMin(const HotRegionConfig& config, LoadDim dim) {
  switch (dim) {
    case LoadDim::kByte:
      return config.min_hot_byte_rate;
    case LoadDim::kKey:
      return config.min_hot_key_rate;
    case LoadDim::kQuery:
      return config.min_hot_query_rate;
    case LoadDim::kCpu:
      return config.min_hot_cpu_rate;
  }
  return 0;
}

double PlanOrder::StoreStep(LoadDim dim) const {
  return std::max(highest_[dim] * StepRatio(config_, dim), 1e-9);
}

bool PlanOrder::Better(const HotPlan& plan, const HotPlan& other) const {
  if (plan.rank.rank != other.rank.rank) return plan.rank.rank > other.rank.rank;
  if (plan.exchanged.has_value() != other.exchanged.has_value()) return !plan.exchanged;
  if (const int stores = CompareStores(plan, other); stores != 0) return stores > 0;
  return BetterPeer(plan, other);
}

/// Above 0: the stores of `plan` are the better ones.
int PlanOrder::CompareStores(const HotPlan& plan, const HotPlan& other) const {
  for (const LoadDim dim : {priorities_.first, priorities_.second}) {
    const int order = CompareBySteps(plan.source->Low(dim), other.source->Low(dim), StoreStep(dim));
    if (order != 0) return order;
  }
  if (plan.target == nullptr || other.target == nullptr) return 0;
  for (const LoadDim dim : {priorities_.first, priorities_.second}) {
    const int order =
        CompareBySteps(other.target->High(dim), plan.target->High(dim), StoreStep(dim));
    if (order != 0) return order;
  }
  // What is on its way makes the numbers less certain.
  const LoadDim dim = priorities_.first;
  const auto unsure = [&](const HotPlan& one) {
    return std::abs(one.source->pending[dim]) + std::abs(one.target->pending[dim]);
  };
  return CompareBySteps(unsure(other), unsure(plan), StoreStep(dim));
}

bool PlanOrder::BetterPeer(const HotPlan& plan, const HotPlan& other) const {
  const bool v1 = FormulaOf(config_) == RankFormula::kV1;
  // The dimension that gains comes first.
  const bool second_first = plan.rank.rank == (v1 ? 2 : 1);
  std::array<LoadDim, 2> dims{priorities_.first, priorities_.second};
  if (second_first) std::swap(dims[0], dims[1]);
  for (const LoadDim dim : dims) {
    const bool first = dim == priorities_.first;
    const int score = first ? plan.rank.first : plan.rank.second;
    const int other_score = first ? other.rank.first : other.rank.second;
    if (score != other_score) return score > other_score;
    const double step = std::max(RateMin(config_, dim), 1e-9);
    const int order = CompareBySteps(RateOf(plan, dim), RateOf(other, dim), step);
    if (order == 0) continue;
    const bool larger_is_better = v1 || score == 2;
    return larger_is_better ? order > 0 : order < 0;
  }
  return false;
}

}  // namespace scheduler

#include "scheduler/schedulers/tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace scheduler {
namespace {

double AdaptiveRatio(const PlanContext& context) {
  constexpr double kShareOfRegions = 0.005;
  uint64_t most = 0;
  for (const Store& store : context.view.stores()) most = std::max(most, store.counts.regions());
  return std::max(1.0, kShareOfRegions * static_cast<double>(most));
}

int64_t BySize(const PlanContext& context) {
  const double set = context.options.tolerant_size_ratio;
  const double ratio = set > 0 ? set : AdaptiveRatio(context);
  return static_cast<int64_t>(static_cast<double>(context.view.AverageRegionSizeMib()) * ratio);
}

}  // namespace

int64_t LeaderTolerance(const PlanContext& context) {
  constexpr double kLeaders = 5;
  if (context.options.leader_policy == LeaderPolicy::kSize) return BySize(context);
  const double set = context.options.tolerant_size_ratio;
  return static_cast<int64_t>(set > 0 ? set : kLeaders);
}

int64_t RegionTolerance(const PlanContext& context) { return BySize(context); }

int64_t LeaderDelta(const PlanContext& context, const StoreInfluence& influence) {
  return context.options.leader_policy == LeaderPolicy::kSize ? influence.leader_size_mib
                                                              : influence.leader_count;
}

BalanceVerdict JudgeLeaderMove(const PlanContext& context, const Influence& influence,
                               const Store& source, const Store& target) {
  const int64_t tolerance = LeaderTolerance(context);
  const int64_t from = std::abs(LeaderDelta(context, influence.Of(source.id)));
  const int64_t to = std::abs(LeaderDelta(context, influence.Of(target.id)));
  return {context.LeaderScore(source, -from - tolerance),
          context.LeaderScore(target, to + tolerance)};
}

BalanceVerdict JudgeRegionMove(const PlanContext& context, const Influence& influence,
                               const Store& source, const Store& target) {
  // What is under way counts several times over: it shows in the store's figures only long after.
  constexpr int64_t kInfluenceFactor = 5;
  const int64_t tolerance = RegionTolerance(context);
  const int64_t from = std::abs(influence.Of(source.id).region_size_mib) * kInfluenceFactor;
  const int64_t to = std::abs(influence.Of(target.id).region_size_mib) * kInfluenceFactor;
  return {context.RegionScore(source, -from - tolerance),
          context.RegionScore(target, to + tolerance)};
}

}  // namespace scheduler

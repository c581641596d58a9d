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

int64_t ByCount(const PlanContext& context) {
  const double set = context.options.tolerant_size_ratio;
  if (set > 0) return static_cast<int64_t>(set);
  constexpr uint64_t kShareOfLeaders = 50;
  constexpr uint64_t kMost = 5;
  uint64_t leaders = 0;
  uint64_t stores = 0;
  for (const Store& store : context.view.stores()) {
    leaders += store.counts.leaders;
    stores += store.counts.leaders > 0 ? 1 : 0;
  }
  const uint64_t average = stores == 0 ? 0 : leaders / stores;
  return static_cast<int64_t>(std::clamp<uint64_t>(average / kShareOfLeaders, 1, kMost));
}

}  // namespace

int64_t LeaderDelta(const PlanContext& context, const StoreInfluence& influence) {
  return context.options.leader_policy == LeaderPolicy::kSize ? influence.leader_size_mib
                                                              : influence.leader_count;
}

LeaderScale::LeaderScale(const PlanContext& context)
    : context_(context),
      tolerance_(context.options.leader_policy == LeaderPolicy::kSize ? BySize(context)
                                                                      : ByCount(context)) {}

double LeaderScale::Source(const Influence& influence, const Store& store) const {
  const int64_t under_way = std::abs(LeaderDelta(context_, influence.Of(store.id)));
  return context_.LeaderScore(store, -under_way - tolerance_);
}

double LeaderScale::Target(const Influence& influence, const Store& store) const {
  const int64_t under_way = std::abs(LeaderDelta(context_, influence.Of(store.id)));
  return context_.LeaderScore(store, under_way + tolerance_);
}

double LeaderScale::Amount(const Store& store) const {
  const uint64_t held = context_.options.leader_policy == LeaderPolicy::kSize
                            ? store.counts.leader_size_mib
                            : store.counts.leaders;
  return static_cast<double>(held) + static_cast<double>(More());
}

double LeaderScale::Score(const Store& store) const { return context_.LeaderScore(store, More()); }

double LeaderScale::ScoreThen(const Influence& influence, const Store& store) const {
  return context_.LeaderScore(store, More() + LeaderDelta(context_, influence.Of(store.id)));
}

RegionScale::RegionScale(const PlanContext& context)
    : context_(context), tolerance_mib_(BySize(context)) {}

int64_t RegionScale::Margin(const Influence& influence, const Store& store,
                            uint64_t moved_mib) const {
  // What is under way counts several times over: it shows in the store's figures only long after.
  constexpr int64_t kInfluenceFactor = 5;
  const int64_t under_way = std::abs(influence.Of(store.id).region_size_mib) * kInfluenceFactor;
  return under_way + std::max(tolerance_mib_, static_cast<int64_t>(moved_mib / 2));
}

double RegionScale::Amount(const Store& store) const {
  return static_cast<double>(store.counts.region_size_mib()) + static_cast<double>(More());
}

double RegionScale::Score(const Store& store) const { return context_.RegionScore(store, More()); }

double RegionScale::Source(const Influence& influence, const Store& store,
                           uint64_t moved_mib) const {
  return context_.RegionScore(store, -Margin(influence, store, moved_mib));
}

double RegionScale::Target(const Influence& influence, const Store& store,
                           uint64_t moved_mib) const {
  return context_.RegionScore(store, Margin(influence, store, moved_mib));
}

}  // namespace scheduler

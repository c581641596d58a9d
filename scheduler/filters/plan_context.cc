#include "scheduler/filters/plan_context.h"

#include "scheduler/stats/score.h"

namespace scheduler {

double PlanContext::RegionScore(const Store& store, int64_t delta_mib) const {
  switch (options.region_score_version) {
    case RegionScoreVersion::kV1:
      return RegionScoreV1(store, {options.high_space_ratio, options.low_space_ratio}, delta_mib);
    case RegionScoreVersion::kV2:
      return RegionScoreV2(store, options.low_space_ratio, delta_mib, AvailableBytesNow(store));
  }
  return 0;
}

double PlanContext::LeaderScore(const Store& store, int64_t delta) const {
  switch (options.leader_policy) {
    case LeaderPolicy::kCount:
      return LeaderScoreByCount(store, delta);
    case LeaderPolicy::kSize:
      return LeaderScoreBySize(store, delta);
  }
  return 0;
}

}  // namespace scheduler

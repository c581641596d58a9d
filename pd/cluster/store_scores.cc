#include "pd/cluster/store_scores.h"

#include "scheduler/stats/score.h"

namespace pd {

StoreScores ScoresOf(const scheduler::Store& store, const ScheduleConfig& schedule) {
  StoreScores scores;
  scores.leader = schedule.leader_schedule_policy == "size"
                      ? scheduler::LeaderScoreBySize(store, 0)
                      : scheduler::LeaderScoreByCount(store, 0);
  scores.region = schedule.region_score_formula_version == "v2"
                      ? scheduler::RegionScoreV2(store, schedule.low_space_ratio, 0,
                                                 store.smoothed_available_bytes)
                      : scheduler::RegionScoreV1(
                            store, {schedule.high_space_ratio, schedule.low_space_ratio}, 0);
  return scores;
}

}  // namespace pd

#pragma once

#include "pd/config/config_store.h"
#include "scheduler/model/store.h"

namespace pd {

/// A store's scores under the configuration of now: how full it is, with leaders and with regions; higher gives away.
struct StoreScores {
  double leader = 0;
  double region = 0;
};
[[nodiscard]] StoreScores ScoresOf(const scheduler::Store& store, const ScheduleConfig& schedule);

}  // namespace pd

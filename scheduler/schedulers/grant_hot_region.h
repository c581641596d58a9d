#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"

namespace scheduler {

/// Gathers hot regions on given stores: their leaders on one, their other peers on the rest of them.
struct GrantHotRegionConfig {
  StoreId leader_store;
  std::vector<StoreId> stores;
};

Decision GrantHotRegion(const PlanContext& context, const GrantHotRegionConfig& config, Rng& rng);

}  // namespace scheduler

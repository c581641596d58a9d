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

/// One move a run, of what has the highest byte rate: by turns of chance a leader to the leader store, with its peer
/// where that has none, or another peer from elsewhere to one of the stores. The reference moves such peers from one of
/// the stores to another, so what lies elsewhere stays there. Pure.
Decision GrantHotRegion(const PlanContext& context, const GrantHotRegionConfig& config, Rng& rng);

}  // namespace scheduler

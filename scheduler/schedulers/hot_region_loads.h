#pragma once

#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/load.h"
#include "scheduler/schedulers/hot_region_config.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace scheduler {

/// A store as one task sees it.
struct HotStore {
  const Store* store = nullptr;
  Load now;
  Load pending;                // What is on its way here, less what is on its way from here.
  std::vector<Load> history;   // Earlier loads, newest first.
  std::vector<HotPeer> peers;  // Those that the task may move, by region id.
  Load tenth;  // The rate of the tenth hottest of them; infinity if there are fewer.

  [[nodiscard]] double Low(LoadDim dim) const {
    return pending[dim] < 0 ? now[dim] + pending[dim] : now[dim];
  }
  [[nodiscard]] double High(LoadDim dim) const {
    return pending[dim] > 0 ? now[dim] + pending[dim] : now[dim];
  }
};

/// All stores of one engine. Loads are evened out among them.
struct HotField {
  HotTask task = HotTask::kWritePeer;
  Engine engine = Engine::kTiKv;
  std::vector<HotStore> stores;  // By ascending id.
  Load mean;
  Load deviation;                  // Standard deviation as a share of the mean; 0 for a mean of 0.
  Load highest;                    // The largest load of a store.
  std::vector<Load> mean_history;  // As HotStore::history.
};

/// Moves that are done and show by now, and such that will never be done, are forgotten. Of those that ran, what the
/// region is like tells which were done.
void ReviewMoves(const PlanContext& context, HotRegionMemory& memory);

/// Writes down what the stores' loads are now, if it is time.
void SampleLoads(const PlanContext& context, const HotRegionConfig& config,
                 HotRegionMemory& memory);

/// The stores of this engine that are there and connected; for leaders, those on which leaders may come and go.
HotField MakeField(const PlanContext& context, const HotRegionConfig& config,
                   const HotRegionMemory& memory, HotTask task, Engine engine);

/// Without the stores.
HotSummary SummaryOf(const HotField& field);

/// How long the loads of stores take to show a move.
Millis MoveShowsAfter(const HotRegionConfig& config, HotTask task, Engine engine);

}  // namespace scheduler

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/balance_leader.h"
#include "scheduler/schedulers/balance_memory.h"
#include "scheduler/schedulers/balance_range.h"
#include "scheduler/schedulers/balance_region.h"
#include "scheduler/schedulers/balance_witness.h"
#include "scheduler/schedulers/evict_leader.h"
#include "scheduler/schedulers/evict_slow_store.h"
#include "scheduler/schedulers/evict_slow_trend.h"
#include "scheduler/schedulers/evict_stopping_store.h"
#include "scheduler/schedulers/grant_hot_region.h"
#include "scheduler/schedulers/hot_region.h"
#include "scheduler/schedulers/hot_region_config.h"
#include "scheduler/schedulers/label.h"
#include "scheduler/schedulers/random_merge.h"
#include "scheduler/schedulers/scatter_range.h"
#include "scheduler/schedulers/shuffle_hot_region.h"
#include "scheduler/schedulers/shuffle_leader.h"
#include "scheduler/schedulers/shuffle_region.h"
#include "scheduler/schedulers/transfer_witness_leader.h"

namespace scheduler {

using SchedulerConfig =
    std::variant<BalanceLeaderConfig, BalanceRegionConfig, HotRegionConfig, EvictLeaderConfig,
                 GrantLeaderConfig, EvictStoppingStoreConfig, EvictSlowStoreConfig,
                 EvictSlowTrendConfig, ShuffleLeaderConfig, ShuffleRegionConfig, LabelConfig,
                 RandomMergeConfig, BalanceWitnessConfig, TransferWitnessLeaderConfig,
                 ScatterRangeConfig, BalanceRangeConfig, GrantHotRegionConfig,
                 ShuffleHotRegionConfig>;

/// What a scheduler remembers from run to run; the owner keeps it, one a scheduler.
struct SchedulerMemory {
  BalanceMemory balance;
  SlowStoreMemory slow_store;
  SlowTrendMemory slow_trend;
  ScatterRangeMemory scatter_range;
  uint64_t operators = 0;  // Of its limit kind, under way; the owner counts them before a run.
  /// What the last run found that is to last: the owner keeps it in place of the config, see KeepFindings, and takes
  /// it from here. Until that has happened a run finds it again.
  std::optional<SchedulerConfig> findings;
  HotRegionMemory hot;  // balance-hot-region.
};

/// How often a scheduler runs (as in the reference): at once again after a success, else less and less often.
struct Pace {
  Millis interval_min{10};
  Millis interval_max = Seconds{5};
};

/// What is the same for all schedulers of a type.
struct SchedulerType {
  const char* type;  // "balance-leader": in persisted configs and `schedulers-v2`.
  const char* name;  // "balance-leader-scheduler": what people call it.
  bool by_default;   // Runs in a new cluster; removing it only disables it.
  Kind limit_kind;   // Counts against this kind's schedule limit.
  Pace pace;
  bool named = false;  // There may be several: each is called `name`-X, with an X of its own.
};

/// All types, in a fixed order. Later schedulers hang in here.
std::span<const SchedulerType> SchedulerTypes();
/// By name, by the name of one of several, or by short type; null when there is none.
const SchedulerType* FindSchedulerType(std::string_view name_or_type);
/// The config that a scheduler of this type starts with.
SchedulerConfig DefaultSchedulerConfig(const SchedulerType& type);

/// The schedule limit that a kind counts against.
uint64_t ScheduleLimit(const ScheduleOptions& options, Kind kind);
/// The one at which a scheduler is not run: that of its kind, and for one that moves both leaders and regions the
/// larger of the two limits.
uint64_t RunLimit(const ScheduleOptions& options, const SchedulerType& type);

/// One run. Pure but for `memory`.
Decision RunScheduler(const PlanContext& context, const SchedulerConfig& config,
                      SchedulerMemory& memory, Rng& rng);

/// Puts findings into a config that people may have changed meanwhile; their settings stay.
void KeepFindings(SchedulerConfig& config, const SchedulerConfig& findings, int64_t unix_ns);

/// The key ranges that a scheduler wants to itself: see PlanContext::reserved_ranges.
std::vector<KeyRange> RangesReservedBy(const SchedulerConfig& config, int64_t unix_ns);

/// The interval after a run without a proposal.
Millis GrowInterval(const Pace& pace, Millis interval);

/// Which stores a scheduler keeps from gaining or losing leaders while it runs.
struct StoreHolds {
  std::vector<StoreId> no_leaders_in;
  std::vector<StoreId> no_leaders_out;
  std::vector<StoreId> slow_evicted;
  std::vector<StoreId> stopping_evicted;
  std::vector<StoreId> slow_trend_evicted;
};
StoreHolds HoldsOf(const ClusterView& view, const SchedulerConfig& config);

}  // namespace scheduler

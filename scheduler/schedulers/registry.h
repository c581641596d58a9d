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
#include "scheduler/schedulers/balance_region.h"
#include "scheduler/schedulers/evict_leader.h"
#include "scheduler/schedulers/hot_region.h"
#include "scheduler/schedulers/hot_region_config.h"
#include "scheduler/schedulers/retry_quota.h"

namespace scheduler {

/// Moves leaders away from stores that report that they are stopping.
struct EvictStoppingStoreConfig {
  uint64_t batch = 3;
};

/// Moves leaders away from the one store that reports itself slow (its disk, as in the reference).
struct EvictSlowStoreConfig {
  uint64_t recovery_duration_s = 1800;
  bool network_slow_store =
      false;  // Kept for people; stores slow on the network are not looked for.
  uint64_t batch = 3;
};

using SchedulerConfig =
    std::variant<BalanceLeaderConfig, BalanceRegionConfig, HotRegionConfig, EvictLeaderConfig,
                 GrantLeaderConfig, EvictStoppingStoreConfig, EvictSlowStoreConfig>;

/// What a scheduler remembers from run to run; the owner keeps it, one a scheduler.
struct SchedulerMemory {
  RetryQuota quota;
  std::optional<StoreId> slow_store;     // evict-slow-store: the one being evicted.
  std::optional<Instant> recovering_at;  // evict-slow-store: since when its score is 1.
  HotRegionMemory hot;                   // balance-hot-region.
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
};

/// All types, in a fixed order. Later schedulers hang in here.
std::span<const SchedulerType> SchedulerTypes();
/// By name or by short type; null when there is none.
const SchedulerType* FindSchedulerType(std::string_view name_or_type);
/// The config that a scheduler of this type starts with.
SchedulerConfig DefaultSchedulerConfig(const SchedulerType& type);

/// The schedule limit that a kind counts against.
uint64_t ScheduleLimit(const ScheduleOptions& options, Kind kind);

/// One run. Pure but for `memory`.
Decision RunScheduler(const PlanContext& context, const SchedulerConfig& config,
                      SchedulerMemory& memory, Rng& rng);

/// The interval after a run without a proposal.
Millis GrowInterval(const Pace& pace, Millis interval);

/// Which stores a scheduler keeps from gaining or losing leaders while it runs.
struct StoreHolds {
  std::vector<StoreId> no_leaders_in;
  std::vector<StoreId> no_leaders_out;
  std::vector<StoreId> slow_evicted;
  std::vector<StoreId> stopping_evicted;
};
StoreHolds HoldsOf(const ClusterView& view, const SchedulerConfig& config,
                   const SchedulerMemory& memory);

}  // namespace scheduler

#include "scheduler/schedulers/registry.h"

#include <algorithm>
#include <array>
#include <limits>

#include "scheduler/schedulers/evict_store.h"

namespace scheduler {
namespace {

constexpr Pace kHotPace{Seconds{1}, Seconds{20}};

constexpr std::array<SchedulerType, 7> kTypes = {{
    {"balance-region", "balance-region-scheduler", true, Kind::kRegion, {}},
    {"balance-leader", "balance-leader-scheduler", true, Kind::kLeader, {}},
    {"hot-region", "balance-hot-region-scheduler", true, Kind::kHotRegion, kHotPace},
    {"evict-slow-store", "evict-slow-store-scheduler", true, Kind::kLeader, {}},
    {"evict-stopping-store", "evict-stopping-store-scheduler", true, Kind::kLeader, {}},
    {"evict-leader", "evict-leader-scheduler", false, Kind::kLeader, {}},
    {"grant-leader", "grant-leader-scheduler", false, Kind::kLeader, {}},
}};

// Each alternative of SchedulerConfig in the order of kTypes.
struct Defaults {
  std::string_view type;
  SchedulerConfig config;
};

struct Runner {
  const PlanContext& context;
  SchedulerMemory& memory;
  Rng& rng;

  Decision operator()(const BalanceLeaderConfig& config) const {
    return BalanceLeader(context, config, memory.quota, rng);
  }
  Decision operator()(const BalanceRegionConfig& config) const {
    return BalanceRegion(context, config, memory.quota, rng);
  }
  Decision operator()(const HotRegionConfig& config) const {
    return BalanceHotRegion(context, config, memory.hot);
  }
  Decision operator()(const EvictLeaderConfig& config) const {
    return EvictLeader(context, config, "evict-leader", DeniedRegions::kMoved, rng);
  }
  Decision operator()(const GrantLeaderConfig& config) const {
    return GrantLeader(context, config, rng);
  }
  Decision operator()(const EvictStoppingStoreConfig& config) const {
    return EvictStoppingStore(context, config, rng);
  }
  Decision operator()(const EvictSlowStoreConfig& config) const {
    return EvictSlowStore(context, config, memory, rng);
  }
};

struct Holder {
  const ClusterView& view;
  const SchedulerMemory& memory;

  StoreHolds operator()(const EvictLeaderConfig& config) const {
    StoreHolds holds;
    for (const auto& entry : config.stores) holds.no_leaders_in.push_back(entry.first);
    return holds;
  }
  StoreHolds operator()(const GrantLeaderConfig& config) const {
    StoreHolds holds;
    for (const auto& entry : config.stores) holds.no_leaders_out.push_back(entry.first);
    return holds;
  }
  StoreHolds operator()(const EvictStoppingStoreConfig&) const {
    StoreHolds holds;
    holds.stopping_evicted = StoppingStores(view);
    return holds;
  }
  StoreHolds operator()(const EvictSlowStoreConfig&) const {
    StoreHolds holds;
    if (memory.slow_store) holds.slow_evicted.push_back(*memory.slow_store);
    return holds;
  }
  template <class Other>
  StoreHolds operator()(const Other&) const {
    return {};
  }
};

}  // namespace

std::span<const SchedulerType> SchedulerTypes() { return kTypes; }

const SchedulerType* FindSchedulerType(std::string_view name_or_type) {
  const auto it = std::ranges::find_if(kTypes, [&](const SchedulerType& type) {
    return name_or_type == type.name || name_or_type == type.type;
  });
  return it == kTypes.end() ? nullptr : &*it;
}

SchedulerConfig DefaultSchedulerConfig(const SchedulerType& type) {
  static const std::array<Defaults, kTypes.size()> kDefaults = {{
      {"balance-region", BalanceRegionConfig{}},
      {"balance-leader", BalanceLeaderConfig{}},
      {"hot-region", HotRegionConfig{}},
      {"evict-slow-store", EvictSlowStoreConfig{}},
      {"evict-stopping-store", EvictStoppingStoreConfig{}},
      {"evict-leader", EvictLeaderConfig{}},
      {"grant-leader", GrantLeaderConfig{}},
  }};
  const auto it = std::ranges::find(kDefaults, std::string_view(type.type), &Defaults::type);
  PD_ASSERT(it != kDefaults.end());
  return it->config;
}

uint64_t ScheduleLimit(const ScheduleOptions& options, Kind kind) {
  switch (kind) {
    case Kind::kAffinity:
      return options.affinity_schedule_limit;
    case Kind::kMerge:
      return options.merge_schedule_limit;
    case Kind::kReplica:
      return options.replica_schedule_limit;
    case Kind::kHotRegion:
      return options.hot_region_schedule_limit;
    case Kind::kRange:
    case Kind::kRegion:
      return options.region_schedule_limit;
    case Kind::kLeader:
      return options.leader_schedule_limit;
    case Kind::kWitness:
      return options.witness_schedule_limit;
    case Kind::kSplitScatter:
      return options.split_scatter_schedule_limit;
    case Kind::kNone:
    case Kind::kAdmin:
    case Kind::kSplit:
    case Kind::kWitnessLeader:
      break;
  }
  return std::numeric_limits<uint64_t>::max();
}

Decision RunScheduler(const PlanContext& context, const SchedulerConfig& config,
                      SchedulerMemory& memory, Rng& rng) {
  return std::visit(Runner{context, memory, rng}, config);
}

Millis GrowInterval(const Pace& pace, Millis interval) {
  // 1.3 times, in whole milliseconds; at least one more.
  const Millis grown = std::max(interval + Millis{1}, Millis{interval.count() * 13 / 10});
  return std::min(grown, pace.interval_max);
}

StoreHolds HoldsOf(const ClusterView& view, const SchedulerConfig& config,
                   const SchedulerMemory& memory) {
  return std::visit(Holder{view, memory}, config);
}

}  // namespace scheduler

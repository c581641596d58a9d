#include "scheduler/schedulers/registry.h"

#include <algorithm>
#include <array>
#include <limits>

#include "scheduler/model/key_ranges.h"

namespace scheduler {
namespace {

constexpr Pace kHotPace{Seconds{1}, Seconds{20}};

constexpr std::array<SchedulerType, 18> kTypes = {{
    {"balance-region", "balance-region-scheduler", true, Kind::kRegion, {}},
    {"balance-leader", "balance-leader-scheduler", true, Kind::kLeader, {}},
    {"hot-region", "balance-hot-region-scheduler", true, Kind::kHotRegion, kHotPace},
    {"evict-slow-store", "evict-slow-store-scheduler", true, Kind::kLeader, {}},
    {"evict-stopping-store", "evict-stopping-store-scheduler", true, Kind::kLeader, {}},
    {"evict-leader", "evict-leader-scheduler", false, Kind::kLeader, {}},
    {"grant-leader", "grant-leader-scheduler", false, Kind::kLeader, {}},
    {"evict-slow-trend", "evict-slow-trend-scheduler", false, Kind::kLeader, {}},
    {"shuffle-leader", "shuffle-leader-scheduler", false, Kind::kLeader, {}},
    {"shuffle-region", "shuffle-region-scheduler", false, Kind::kRegion, {}},
    {"label", "label-scheduler", false, Kind::kLeader, {}},
    {"random-merge", "random-merge-scheduler", false, Kind::kMerge, {}},
    {"balance-witness", "balance-witness-scheduler", false, Kind::kWitness, {}},
    {"transfer-witness-leader",
     "transfer-witness-leader-scheduler",
     false,
     Kind::kWitnessLeader,
     {}},
    {"scatter-range", "scatter-range-scheduler", false, Kind::kRange, {}, true},
    {"balance-range", "balance-range-scheduler", false, Kind::kRange, {}},
    {"grant-hot-region", "grant-hot-region-scheduler", false, Kind::kHotRegion, kHotPace},
    {"shuffle-hot-region", "shuffle-hot-region-scheduler", false, Kind::kHotRegion, {}},
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

  Decision operator()(BalanceLeaderConfig config) const {
    return OutsideReserved(config,
                           [&] { return BalanceLeader(context, config, memory.balance, rng); });
  }
  Decision operator()(BalanceRegionConfig config) const {
    return OutsideReserved(config,
                           [&] { return BalanceRegion(context, config, memory.balance, rng); });
  }
  Decision operator()(const HotRegionConfig& config) const {
    return BalanceHotRegion(context, config, memory.hot);
  }
  Decision operator()(const EvictLeaderConfig& config) const {
    return EvictLeader(context, config, {"evict-leader", DeniedRegions::kMoved}, rng);
  }
  Decision operator()(const GrantLeaderConfig& config) const {
    return GrantLeader(context, config, rng);
  }
  Decision operator()(const EvictStoppingStoreConfig& config) const {
    return Noting(config, [&](EvictStoppingStoreConfig& found) {
      return EvictStoppingStore(context, found, rng);
    });
  }
  Decision operator()(const EvictSlowStoreConfig& config) const {
    return Noting(config, [&](EvictSlowStoreConfig& found) {
      return EvictSlowStore(context, found, memory.slow_store, rng);
    });
  }
  Decision operator()(const EvictSlowTrendConfig& config) const {
    return Noting(config, [&](EvictSlowTrendConfig& found) {
      return EvictSlowTrend(context, found, memory.slow_trend, rng);
    });
  }
  Decision operator()(const ShuffleLeaderConfig& config) const {
    return ShuffleLeader(context, config, rng);
  }
  Decision operator()(const ShuffleRegionConfig& config) const {
    return ShuffleRegion(context, config, rng);
  }
  Decision operator()(const LabelConfig& config) const {
    return MoveRejectedLeaders(context, config, rng);
  }
  Decision operator()(const RandomMergeConfig& config) const {
    return RandomMerge(context, config, rng);
  }
  Decision operator()(const BalanceWitnessConfig& config) const {
    return BalanceWitness(context, config, memory.balance.quota, rng);
  }
  Decision operator()(const TransferWitnessLeaderConfig&) const {
    return TransferWitnessLeader(context, rng);
  }
  Decision operator()(const ScatterRangeConfig& config) const {
    return ScatterRange(context, config, memory.scatter_range, memory.operators, rng);
  }
  Decision operator()(const BalanceRangeConfig& config) const {
    return Noting(config,
                  [&](BalanceRangeConfig& found) { return BalanceRange(context, found, rng); });
  }
  Decision operator()(const GrantHotRegionConfig& config) const {
    return GrantHotRegion(context, config, rng);
  }
  Decision operator()(const ShuffleHotRegionConfig& config) const {
    if (memory.operators < config.limit) return ShuffleHotRegion(context, config, rng);
    Decision decision;
    decision.Refuse({Reason::kScheduleLimit,
                     {},
                     {},
                     static_cast<double>(memory.operators),
                     static_cast<double>(config.limit),
                     {}});
    return decision;
  }

 private:
  /// `run` changes what it is given where something is to last.
  template <class Config, class Run>
  Decision Noting(const Config& config, Run run) const {
    Config found = config;
    Decision decision = run(found);
    if (found != config) memory.findings = std::move(found);
    return decision;
  }

  template <class Config, class Run>
  Decision OutsideReserved(Config& config, Run run) const {
    if (context.reserved_ranges.empty()) return run();
    const std::vector<KeyRange> all{{}};
    config.ranges = Without(config.ranges.empty() ? all : config.ranges, context.reserved_ranges);
    if (!config.ranges.empty()) return run();
    Decision decision;
    decision.Refuse({Reason::kRangesReserved,
                     StoreId{},
                     RegionId{},
                     static_cast<double>(context.reserved_ranges.size()),
                     0,
                     {}});
    return decision;
  }
};

struct Holder {
  const ClusterView& view;

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
  StoreHolds operator()(const EvictSlowStoreConfig& config) const {
    StoreHolds holds;
    holds.slow_evicted = config.evicted;
    holds.no_leaders_in = config.network_paused;
    return holds;
  }
  StoreHolds operator()(const EvictSlowTrendConfig& config) const {
    StoreHolds holds;
    holds.slow_trend_evicted = config.evicted;
    return holds;
  }
  template <class Other>
  StoreHolds operator()(const Other&) const {
    return {};
  }
};

/// Findings of one kind of scheduler, into its config of now.
struct Keeper {
  SchedulerConfig& config;
  int64_t unix_ns;

  void operator()(const EvictStoppingStoreConfig& found) const {
    if (auto* kept = std::get_if<EvictStoppingStoreConfig>(&config)) kept->evicted = found.evicted;
  }
  void operator()(const EvictSlowStoreConfig& found) const {
    auto* kept = std::get_if<EvictSlowStoreConfig>(&config);
    if (kept == nullptr) return;
    kept->evicted = found.evicted;
    kept->network_paused = found.network_paused;
    kept->network_evicted = found.network_evicted;
  }
  void operator()(const EvictSlowTrendConfig& found) const {
    if (auto* kept = std::get_if<EvictSlowTrendConfig>(&config)) kept->evicted = found.evicted;
  }
  void operator()(const BalanceRangeConfig& found) const {
    if (auto* kept = std::get_if<BalanceRangeConfig>(&config)) {
      KeepRangeJobs(kept->jobs, found.jobs, unix_ns);
    }
  }
  template <class Other>
  void operator()(const Other&) const {}
};

bool IsCalled(const SchedulerType& type, std::string_view name) {
  if (name == type.name || name == type.type) return true;
  const std::string_view prefix = type.name;
  return type.named && name.size() > prefix.size() + 1 && name.starts_with(prefix) &&
         name[prefix.size()] == '-';
}

}  // namespace

std::span<const SchedulerType> SchedulerTypes() { return kTypes; }

const SchedulerType* FindSchedulerType(std::string_view name_or_type) {
  const auto it = std::ranges::find_if(
      kTypes, [&](const SchedulerType& type) { return IsCalled(type, name_or_type); });
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
      {"evict-slow-trend", EvictSlowTrendConfig{}},
      {"shuffle-leader", ShuffleLeaderConfig{}},
      {"shuffle-region", ShuffleRegionConfig{}},
      {"label", LabelConfig{}},
      {"random-merge", RandomMergeConfig{}},
      {"balance-witness", BalanceWitnessConfig{}},
      {"transfer-witness-leader", TransferWitnessLeaderConfig{}},
      {"scatter-range", ScatterRangeConfig{}},
      {"balance-range", BalanceRangeConfig{}},
      {"grant-hot-region", GrantHotRegionConfig{}},
      {"shuffle-hot-region", ShuffleHotRegionConfig{}},
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

uint64_t RunLimit(const ScheduleOptions& options, const SchedulerType& type) {
  const uint64_t limit = ScheduleLimit(options, type.limit_kind);
  return type.named ? std::max(limit, options.leader_schedule_limit) : limit;
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

void KeepFindings(SchedulerConfig& config, const SchedulerConfig& findings, int64_t unix_ns) {
  std::visit(Keeper{config, unix_ns}, findings);
}

std::vector<KeyRange> RangesReservedBy(const SchedulerConfig& config, int64_t unix_ns) {
  const auto* balance = std::get_if<BalanceRangeConfig>(&config);
  if (balance == nullptr) return {};
  const auto job =
      std::ranges::find_if(balance->jobs, [&](const RangeJob& one) { return one.RunsAt(unix_ns); });
  return job == balance->jobs.end() ? std::vector<KeyRange>{} : job->ranges;
}

StoreHolds HoldsOf(const ClusterView& view, const SchedulerConfig& config) {
  return std::visit(Holder{view}, config);
}

}  // namespace scheduler

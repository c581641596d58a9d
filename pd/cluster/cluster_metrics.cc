#include "pd/cluster/cluster_metrics.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pd/cluster/store_scores.h"

namespace pd {
namespace {

using scheduler::NodeState;
using scheduler::Store;

/// Gauges of one family, to be shown all together.
class GaugeSet {
 public:
  template <class Number>
  void Set(std::vector<std::string> labels, Number value) {
    auto gauge = std::make_unique<Gauge>();
    gauge->Set(static_cast<double>(value));
    gauges_[std::move(labels)] = std::move(gauge);
  }
  void ShowIn(GaugeFamily& family) { family.Replace(std::move(gauges_)); }

 private:
  GaugeFamily::SeriesByValues gauges_;
};

constexpr std::array kStatusTypes = {
    "store_up_count",        "store_disconnected_count", "store_slow_count",
    "store_down_count",      "store_unhealth_count",     "store_offline_count",
    "store_tombstone_count", "store_low_space_count",    "store_preparing_count",
    "store_serving_count",   "store_removing_count",     "store_removed_count"};

std::string_view LivenessOf(const Store& store, scheduler::Instant now, Nanos max_down) {
  const scheduler::Millis silent = store.DownTime(now);
  if (silent >= std::chrono::duration_cast<scheduler::Millis>(max_down)) return "store_down_count";
  if (store.IsUnhealthy(now)) return "store_unhealth_count";
  if (store.IsDisconnected(now)) return "store_disconnected_count";
  return store.IsSlow() ? "store_slow_count" : "store_up_count";
}

/// The types of pd_cluster_status that hold for a store; the others are 0.
std::vector<std::string_view> StatusOf(const Store& store, const ScheduleConfig& schedule,
                                       scheduler::Instant now) {
  std::vector<std::string_view> status;
  switch (store.node_state) {
    case NodeState::kRemoved:
      return {"store_tombstone_count", "store_removed_count"};
    case NodeState::kRemoving:
      status = {"store_offline_count", "store_removing_count"};
      break;
    case NodeState::kPreparing:
    case NodeState::kServing:
      status = {LivenessOf(store, now, schedule.max_store_down_time),
                store.IsPreparing() ? "store_preparing_count" : "store_serving_count"};
      break;
  }
  const bool down = status[0] == "store_down_count";
  if (!down && scheduler::IsLowSpace(store, schedule.low_space_ratio)) {
    status.emplace_back("store_low_space_count");
  }
  return status;
}

void AddClusterStatus(const Store& store, const ScheduleConfig& schedule, scheduler::Instant now,
                      GaugeSet& out) {
  const std::string engine = store.IsTiFlash() ? "tiflash" : "tikv";
  const std::string id = std::to_string(store.id.value);
  for (const char* type : kStatusTypes) out.Set({type, engine, id}, 0);
  for (const std::string_view type : StatusOf(store, schedule, now)) {
    out.Set({std::string(type), engine, id}, 1);
  }
  if (store.IsRemoved()) return;
  out.Set({"storage_size", engine, id}, store.stats.used_bytes);
  out.Set({"storage_capacity", engine, id}, store.stats.capacity_bytes);
  out.Set({"region_count", engine, id}, store.counts.regions());
  out.Set({"leader_count", engine, id}, store.counts.leaders);
  out.Set({"learner_count", engine, id}, store.counts.learners);
  out.Set({"witness_count", engine, id}, store.counts.witnesses);
}

double SumOf(const std::vector<scheduler::NamedValue>& values) {
  double sum = 0;
  for (const scheduler::NamedValue& value : values) sum += static_cast<double>(value.value);
  return sum;
}

/// One store's series of pd_scheduler_store_status.
class StoreStatus {
 public:
  StoreStatus(const Store& store, GaugeSet& out)
      : store_(store), id_(std::to_string(store.id.value)), out_(out) {}

  void AddContents(const StoreScores& scores) {
    Set("region_score", scores.region);
    Set("leader_score", scores.leader);
    Set("region_size", store_.counts.region_size_mib());
    Set("region_count", store_.counts.regions());
    Set("leader_size", store_.counts.leader_size_mib);
    Set("leader_count", store_.counts.leaders);
    Set("witness_count", store_.counts.witnesses);
    Set("learner_count", store_.counts.learners);
    Set("store_available", store_.stats.available_bytes);
    Set("store_used", store_.stats.used_bytes);
    Set("store_capacity", store_.stats.capacity_bytes);
    if (!store_.stats.has_slow_trend) return;
    Set("store_slow_trend_cause_value", store_.stats.slow_trend_cause_value);
    Set("store_slow_trend_cause_rate", store_.stats.slow_trend_cause_rate);
    Set("store_slow_trend_result_value", store_.stats.slow_trend_result_value);
    Set("store_slow_trend_result_rate", store_.stats.slow_trend_result_rate);
  }

  void AddSnapshots(const ClusterMetrics::SnapshotUse& use) {
    static constexpr std::array kLevels = {"low", "medium", "high", "urgent"};
    Set("windows_size", use.capacity_mib);
    for (size_t i = 0; i < kLevels.size(); ++i) {
      Set(std::string("windows_used_level_") + kLevels[i], use.used_mib[i]);
    }
  }

  void AddLoad(const scheduler::RegionIndex::StoreSums& sums) {
    const scheduler::StoreStats& stats = store_.stats;
    if (stats.interval_end_s <= stats.interval_start_s) return;
    const auto seconds = static_cast<double>(stats.interval_end_s - stats.interval_start_s);
    const auto rate = [&](const char* type, uint64_t amount) {
      SetRate(type, static_cast<double>(amount) / seconds);
    };
    rate("store_write_rate_bytes", stats.bytes_written);
    rate("store_read_rate_bytes", stats.bytes_read);
    rate("store_write_rate_keys", stats.keys_written);
    rate("store_read_rate_keys", stats.keys_read);
    rate("store_write_query_rate", stats.write_queries);
    rate("store_read_query_rate", stats.read_queries);
    SetRate("store_regions_write_rate_bytes", static_cast<double>(sums.write_bytes_per_s));
    SetRate("store_regions_write_rate_keys", static_cast<double>(sums.write_keys_per_s));
    Set("store_cpu_usage", SumOf(stats.cpu_usages));
    Set("store_disk_read_rate", SumOf(stats.read_io_rates));
    Set("store_disk_write_rate", SumOf(stats.write_io_rates));
  }

 private:
  template <class Number>
  void Set(std::string type, Number value) {
    out_.Set({store_.address, id_, std::move(type)}, value);
  }
  void SetRate(const std::string& type, double value) {
    Set(type, value);
    Set(type + "_instant", value);
  }

  const Store& store_;
  const std::string id_;
  GaugeSet& out_;
};

void AddPlacement(const Store& store, const std::vector<std::string>& location_labels,
                  GaugeSet& out) {
  for (const std::string& key : location_labels) {
    const std::string_view value = store.Label(key);
    out.Set({"label", fmt::format("{}:{}", key, value.empty() ? "unknown" : value),
             std::to_string(store.id.value)},
            1);
  }
}

GaugeSet ConfigStatus(const OnlineConfig& config) {
  const ScheduleConfig& schedule = config.schedule;
  GaugeSet out;
  const auto set = [&out](const char* type, auto value) { out.Set({type}, value); };
  set("leader-schedule-limit", schedule.leader_schedule_limit);
  set("region-schedule-limit", schedule.region_schedule_limit);
  set("merge-schedule-limit", schedule.merge_schedule_limit);
  set("replica-schedule-limit", schedule.replica_schedule_limit);
  set("affinity-schedule-limit", schedule.affinity_schedule_limit);
  set("max-replicas", config.replication.max_replicas);
  set("high-space-ratio", schedule.high_space_ratio);
  set("low-space-ratio", schedule.low_space_ratio);
  set("tolerant-size-ratio", schedule.tolerant_size_ratio);
  set("hot-region-schedule-limit", schedule.hot_region_schedule_limit);
  set("hot-region-cache-hits-threshold", schedule.hot_region_cache_hits_threshold);
  set("max-pending-peer-count", schedule.max_pending_peer_count);
  set("max-snapshot-count", schedule.max_snapshot_count);
  set("max-merge-region-size", schedule.max_merge_region_size);
  set("max-merge-region-keys", schedule.MergeRegionKeys());
  set("max-affinity-merge-region-size", schedule.max_affinity_merge_region_size);
  set("enable-makeup-replica", schedule.enable_make_up_replica ? 1 : 0);
  set("enable-remove-down-replica", schedule.enable_remove_down_replica ? 1 : 0);
  set("enable-remove-extra-replica", schedule.enable_remove_extra_replica ? 1 : 0);
  set("enable-replace-offline-replica", schedule.enable_replace_offline_replica ? 1 : 0);
  return out;
}

GaugeSet AffinityStatus(const AffinityGroups& groups) {
  const std::vector<AffinityGroups::Shown> all = groups.All();
  uint64_t regions = 0;
  uint64_t in_place = 0;
  for (const AffinityGroups::Shown& group : all) {
    regions += group.counts.regions;
    in_place += group.counts.in_place;
  }
  GaugeSet out;
  out.Set({"group-count"}, all.size());
  out.Set({"region-count"}, regions);
  out.Set({"affinity-region-count"}, in_place);
  return out;
}

CounterFamily& RegionEvents(MetricsRegistry& registry) {
  return registry.Counters("pd_cluster_region_event", "Counter of the region event.", {"event"});
}

}  // namespace

ClusterMetrics::ClusterMetrics(Cluster& cluster, MetricsRegistry& registry)
    : cluster_(cluster),
      registry_(registry),
      cluster_status_(registry.Gauges("pd_cluster_status", "Status of the cluster.",
                                      {"type", "engine", "store"})),
      store_status_(registry.Gauges("pd_scheduler_store_status", "Store status for schedule.",
                                    {"address", "store", "type"})),
      placement_(registry.Gauges("pd_cluster_placement_status", "Status of the cluster placement.",
                                 {"type", "name", "store"})),
      store_limit_(registry.Gauges("pd_cluster_store_limit", "Status of the store limit.",
                                   {"store", "type"})),
      config_(registry.Gauges("pd_config_status", "Status of the scheduling configurations.",
                              {"type"})),
      syncer_(registry.Gauges("pd_region_syncer_status", "Inner status of the region syncer.",
                              {"type"})),
      gc_(registry.Gauges("pd_gc_gc_safepoint", "The timestamps of the safe points.", {"type"})),
      progress_(registry.Gauges("pd_cluster_progress", "Part of its way that a store has come.",
                                {"address", "store", "action"})),
      speed_(registry.Gauges("pd_cluster_speed", "MiB a second that a store gains or loses.",
                             {"address", "store", "action"})),
      eta_(registry.Gauges("pd_cluster_eta", "Seconds that a store has yet to go.",
                           {"address", "store", "action"})),
      affinity_(registry.Gauges("pd_affinity_status", "Status of the affinity groups.", {"type"})),
      cached_(RegionEvents(registry).With({"update_cache"})),
      saved_(RegionEvents(registry).With({"update_kv"})),
      collector_(registry.AddCollector([this] { Collect(); })) {
  cluster.AddObserver(static_cast<RegionObserver&>(*this));
}

ClusterMetrics::~ClusterMetrics() { registry_.RemoveCollector(collector_); }

void ClusterMetrics::OnRegionReported(const scheduler::Region&,
                                      const scheduler::RegionChange& change) {
  if (change.index) cached_.Add();
  if (change.save) saved_.Add();
}

/// The address is left empty, as in the reference.
void ClusterMetrics::CollectProgress() {
  GaugeSet progress;
  GaugeSet speed;
  GaugeSet eta;
  if (cluster_.running()) {
    for (const StoreProgress::Report& report : cluster_.stores().progress().All()) {
      const std::vector<std::string> labels = {"", std::to_string(report.store.value),
                                               StoreProgress::NameOf(report.action)};
      progress.Set(labels, report.fraction);
      speed.Set(labels, report.speed_mib_per_s);
      eta.Set(labels, report.left_s);
    }
  }
  progress.ShowIn(progress_);
  speed.ShowIn(speed_);
  eta.ShowIn(eta_);
}

void ClusterMetrics::Collect() {
  CollectProgress();
  GaugeSet cluster_status;
  GaugeSet store_status;
  GaugeSet placement;
  GaugeSet store_limit;
  GaugeSet config_status;
  GaugeSet syncer;
  GaugeSet gc;
  GaugeSet affinity;
  if (cluster_.running()) {
    const auto config = cluster_.config().online();
    const scheduler::Instant now = InstantOf(cluster_.clock().Monotonic());
    for (const Store& store : cluster_.stores().All()) {
      AddClusterStatus(store, config->schedule, now, cluster_status);
      if (store.IsRemoved()) continue;
      StoreStatus status(store, store_status);
      status.AddContents(ScoresOf(store, config->schedule));
      status.AddLoad(cluster_.regions().SumsOf(store.id));
      if (const auto use = snapshot_use_of_(store.id)) status.AddSnapshots(*use);
      AddPlacement(store, config->replication.location_labels, placement);
    }
    for (const auto& [store, limit] : config->schedule.store_limit) {
      store_limit.Set({std::to_string(store), "add-peer"}, limit.add_peer);
      store_limit.Set({std::to_string(store), "remove-peer"}, limit.remove_peer);
    }
    config_status = ConfigStatus(*config);
    affinity = AffinityStatus(cluster_.affinity());
    const uint64_t next = cluster_.feed().next_index();
    syncer.Set({"sync_index"}, next - 1);
    syncer.Set({"first_index"}, cluster_.feed().first_index());
    syncer.Set({"last_index"}, next);
    const auto safe_points = cluster_.safe_points().Read();
    if (safe_points && safe_points->gc != 0) gc.Set({"gc_safepoint"}, safe_points->gc);
  }
  cluster_status.ShowIn(cluster_status_);
  store_status.ShowIn(store_status_);
  placement.ShowIn(placement_);
  store_limit.ShowIn(store_limit_);
  config_status.ShowIn(config_);
  syncer.ShowIn(syncer_);
  gc.ShowIn(gc_);
  affinity.ShowIn(affinity_);
}

}  // namespace pd

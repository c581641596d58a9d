#include "pd/dispatch/schedule_options.h"

#include <algorithm>

#include "pd/config/values.h"

namespace pd {
namespace {

/// Above, flows of regions are not looked at (as in the reference).
constexpr int64_t kFlowDigitsTraced = 5;

}  // namespace

scheduler::ConfChange ConfChangeOf(const OnlineConfig& config) {
  const Result<Version> version = ParseVersion(config.cluster_version);
  // A pre-release of 5.0 knows it too.
  if (!version) return scheduler::ConfChange::kV1;
  return version->major >= 5 ? scheduler::ConfChange::kV2 : scheduler::ConfChange::kV1;
}

scheduler::ScheduleOptions MakeScheduleOptions(const OnlineConfig& config,
                                               const StoreConfig& stores) {
  const ScheduleConfig& schedule = config.schedule;
  scheduler::ScheduleOptions options;
  options.max_replicas = config.replication.max_replicas;
  options.location_labels = config.replication.location_labels;
  options.isolation_level = config.replication.isolation_level;
  options.enable_placement_rules = config.replication.enable_placement_rules;
  options.leader_schedule_limit = schedule.leader_schedule_limit;
  options.region_schedule_limit = schedule.region_schedule_limit;
  options.replica_schedule_limit = schedule.replica_schedule_limit;
  options.merge_schedule_limit = schedule.merge_schedule_limit;
  options.hot_region_schedule_limit = schedule.hot_region_schedule_limit;
  options.witness_schedule_limit = schedule.witness_schedule_limit;
  options.affinity_schedule_limit = schedule.affinity_schedule_limit;
  options.split_scatter_schedule_limit = schedule.split_scatter_schedule_limit;
  options.enable_witness = schedule.enable_witness;
  options.enable_tikv_split_region = schedule.enable_tikv_split_region;
  options.max_snapshot_count = schedule.max_snapshot_count;
  options.max_pending_peer_count = schedule.max_pending_peer_count;
  options.max_store_down_time = std::chrono::duration_cast<Millis>(schedule.max_store_down_time);
  options.switch_witness_interval =
      std::chrono::duration_cast<Millis>(schedule.switch_witness_interval);
  options.patrol_region_interval =
      std::chrono::duration_cast<Millis>(schedule.patrol_region_interval);
  options.max_merge_region_size_mib = schedule.max_merge_region_size;
  options.max_merge_region_keys = schedule.MergeRegionKeys();
  options.max_affinity_merge_region_size_mib = schedule.max_affinity_merge_region_size;
  options.split_merge_interval = std::chrono::duration_cast<Millis>(schedule.split_merge_interval);
  options.enable_one_way_merge = schedule.enable_one_way_merge;
  options.merge_within_table =
      config.pd_server.key_type == "table" && !schedule.enable_cross_table_merge;
  options.region_bounds = stores.bounds;
  options.slow_trend_falling_share = schedule.slow_store_evicting_affected_store_ratio_threshold;
  options.stores_run_raft_kv2 = stores.engine == "raft-kv2";
  const Result<Version> version = ParseVersion(config.cluster_version);
  options.stores_count_queries = version && *version >= Version{5, 2, 0, "", ""};
  options.stores_measure_read_cpu = version && *version >= Version{8, 5, 7, "", ""};
  options.stores_have_buckets = stores.region_buckets;
  options.trace_region_flow = config.pd_server.flow_round_by_digit <= kFlowDigitsTraced;
  options.max_movable_hot_peer_size_mib =
      static_cast<uint64_t>(std::max<int64_t>(schedule.max_movable_hot_peer_size, 0));
  options.tolerant_size_ratio = schedule.tolerant_size_ratio;
  options.low_space_ratio = schedule.low_space_ratio;
  options.high_space_ratio = schedule.high_space_ratio;
  options.leader_policy = schedule.leader_schedule_policy == "size"
                              ? scheduler::LeaderPolicy::kSize
                              : scheduler::LeaderPolicy::kCount;
  options.region_score_version = schedule.region_score_formula_version == "v1"
                                     ? scheduler::RegionScoreVersion::kV1
                                     : scheduler::RegionScoreVersion::kV2;
  options.enable_remove_down_replica = schedule.enable_remove_down_replica;
  options.enable_replace_offline_replica = schedule.enable_replace_offline_replica;
  options.enable_make_up_replica = schedule.enable_make_up_replica;
  options.enable_remove_extra_replica = schedule.enable_remove_extra_replica;
  options.enable_location_replacement = schedule.enable_location_replacement;
  options.enable_joint_consensus = schedule.enable_joint_consensus;
  options.cluster_supports_joint_consensus = ConfChangeOf(config) == scheduler::ConfChange::kV2;
  options.enable_diagnostic = schedule.enable_diagnostic;
  options.halt_scheduling = schedule.halt_scheduling;
  const auto rejecting = config.label_property.find("reject-leader");
  if (rejecting != config.label_property.end()) {
    for (const StoreLabelEntry& label : rejecting->second) {
      options.reject_leader_labels.push_back({label.key, label.value});
    }
  }
  return options;
}

}  // namespace pd

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/model/region.h"
#include "scheduler/model/store.h"
#include "scheduler/model/time.h"

namespace scheduler {

enum class LeaderPolicy : uint8_t { kCount, kSize };
enum class RegionScoreVersion : uint8_t { kV1, kV2 };

/// The settings that planning reads, with the reference's defaults (sections schedule and replication).
struct ScheduleOptions {
  uint64_t max_replicas = 3;
  std::vector<std::string> location_labels;
  std::string isolation_level;

  uint64_t leader_schedule_limit = 4;
  uint64_t region_schedule_limit = 2048;
  uint64_t replica_schedule_limit = 64;
  uint64_t merge_schedule_limit = 8;
  uint64_t hot_region_schedule_limit = 4;
  uint64_t witness_schedule_limit = 4;
  uint64_t affinity_schedule_limit = 0;
  uint64_t split_scatter_schedule_limit = 4;

  uint64_t max_snapshot_count = 64;
  uint64_t max_pending_peer_count = 64;  // 0: no check.
  Millis max_store_down_time = std::chrono::minutes{30};
  Millis switch_witness_interval = std::chrono::hours{1};  // A peer that got data keeps it so long.
  Millis patrol_region_interval{10};

  uint64_t max_merge_region_size_mib = 54;  // What may be merged away: not larger in either.
  uint64_t max_merge_region_keys = 540'000;
  uint64_t max_affinity_merge_region_size_mib =
      256;  // Into what affinity groups are merged; 0: not.
  Millis split_merge_interval = std::chrono::hours{1};
  bool enable_one_way_merge = false;  // Only into the next region.
  bool merge_within_table = false;    // Keys are those of tables, and cross-table merges are off.

  RegionBounds region_bounds;        // Those of the stores.
  bool stores_run_raft_kv2 = false;  // Their engine.
  double slow_trend_falling_share =
      0.3;  // Of the stores: those that get less done when one becomes slow.

  // What stores measure and can do, where loads are evened out.
  bool stores_count_queries = true;              // Cluster version 5.2 or later.
  bool stores_measure_read_cpu = true;           // Cluster version 8.5.7 or later.
  bool stores_have_buckets = false;              // coprocessor.enable-region-bucket.
  bool trace_region_flow = true;                 // flow-round-by-digit at most 5.
  uint64_t max_movable_hot_peer_size_mib = 512;  // Larger ones are split first, by their buckets.

  double tolerant_size_ratio = 0;  // 0: from the region count, see ToleranceRatio.
  double low_space_ratio = 0.8;
  double high_space_ratio = 0.7;
  LeaderPolicy leader_policy = LeaderPolicy::kCount;
  RegionScoreVersion region_score_version = RegionScoreVersion::kV2;

  /// Off: max_replicas, location_labels and isolation_level alone say where peers go; the rules are the one that they
  /// stand for (DefaultRule).
  bool enable_placement_rules = true;
  // What the replica checker may do, where placement rules are off.
  bool enable_remove_down_replica = true;
  bool enable_replace_offline_replica = true;
  bool enable_make_up_replica = true;
  bool enable_remove_extra_replica = true;
  bool enable_location_replacement = true;

  bool enable_joint_consensus = true;
  bool cluster_supports_joint_consensus = true;  // Cluster version 5.0.0 or later.
  bool enable_diagnostic = true;
  bool halt_scheduling = false;
  bool enable_witness = false;           // Peers may be witnesses.
  bool enable_tikv_split_region = true;  // Stores are given ids for splits.

  std::vector<StoreLabel> reject_leader_labels;  // label-property reject-leader.

  [[nodiscard]] bool UseJointConsensus() const {
    return enable_joint_consensus && cluster_supports_joint_consensus;
  }
};

}  // namespace scheduler

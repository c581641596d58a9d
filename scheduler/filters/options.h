#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  Millis patrol_region_interval{10};

  double tolerant_size_ratio = 0;  // 0: from the region count, see ToleranceRatio.
  double low_space_ratio = 0.8;
  double high_space_ratio = 0.7;
  LeaderPolicy leader_policy = LeaderPolicy::kCount;
  RegionScoreVersion region_score_version = RegionScoreVersion::kV2;

  bool enable_joint_consensus = true;
  bool cluster_supports_joint_consensus = true;  // Cluster version 5.0.0 or later.
  bool enable_diagnostic = true;
  bool halt_scheduling = false;
  bool enable_placement_rules = true;    // Otherwise the rules say what max-replicas says.
  bool enable_witness = false;           // Peers may be witnesses.
  bool enable_tikv_split_region = true;  // Stores are given ids for splits.

  std::vector<StoreLabel> reject_leader_labels;  // label-property reject-leader.

  [[nodiscard]] bool UseJointConsensus() const {
    return enable_joint_consensus && cluster_supports_joint_consensus;
  }
};

}  // namespace scheduler

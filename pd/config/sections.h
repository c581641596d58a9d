#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pd/config/values.h"
#include "pd/log/log.h"
#include "pd/runtime/clock.h"

// The sections of the configuration with their defaults. Names, types and defaults follow the
// reference's keys; pd/config/fields.h gives every member its name in JSON
// and TOML, once.

namespace pd {

struct LogFileConfig {
  std::string filename;
  int64_t max_size_mib = 300;
  int64_t max_days = 0;
  int64_t max_backups = 0;
};

struct LogSampling {
  int64_t initial = 0;
  int64_t thereafter = 0;
};

struct LogConfig {
  std::string level = "info";
  std::string format = "text";
  bool disable_timestamp = false;
  LogFileConfig file;
  bool development = false;
  bool disable_caller = false;
  bool disable_stacktrace = false;
  bool disable_error_verbose = true;
  std::optional<LogSampling> sampling;
  std::string error_output_path;
};

struct MetricConfig {
  std::string job;  // Default: the member's name.
  std::string address;
  Nanos interval = std::chrono::seconds(15);
};

/// Peers added to and removed from a store per minute.
struct StoreLimitConfig {
  double add_peer = 15;
  double remove_peer = 15;

  bool operator==(const StoreLimitConfig&) const = default;
};

/// One entry of schedule.schedulers. The type is the reference's old short name ("balance-region").
struct SchedulerEntry {
  std::string type;
  std::vector<std::string> args;
  bool disable = false;
  std::string args_payload;
};

struct ScheduleConfig {
  uint64_t max_snapshot_count = 64;
  uint64_t max_pending_peer_count = 64;
  uint64_t max_merge_region_size = 54;  // MiB
  uint64_t max_merge_region_keys = 0;   // 0: size * 10,000; see MergeRegionKeys().
  Nanos split_merge_interval = std::chrono::hours(1);
  Nanos switch_witness_interval = std::chrono::hours(1);
  TextBool enable_one_way_merge = false;
  TextBool enable_cross_table_merge = true;
  Nanos patrol_region_interval = std::chrono::milliseconds(10);
  Nanos max_store_down_time = std::chrono::minutes(30);
  Nanos max_store_preparing_time = std::chrono::hours(48);
  uint64_t leader_schedule_limit = 4;
  std::string leader_schedule_policy = "count";
  uint64_t region_schedule_limit = 2048;
  uint64_t witness_schedule_limit = 4;
  uint64_t replica_schedule_limit = 64;
  uint64_t merge_schedule_limit = 8;
  uint64_t hot_region_schedule_limit = 4;
  uint64_t affinity_schedule_limit = 0;
  uint64_t split_scatter_schedule_limit = 4;
  uint64_t hot_region_cache_hits_threshold = 3;
  double store_balance_rate = 0;  // Deprecated: moves into default_store_limit.
  StoreLimitConfig default_store_limit;
  std::map<uint64_t, StoreLimitConfig> store_limit;
  double tolerant_size_ratio = 0;
  double low_space_ratio = 0.8;
  double high_space_ratio = 0.7;
  std::string region_score_formula_version = "v2";
  uint64_t scheduler_max_waiting_operator = 5;
  TextBool disable_raft_learner =
      false;  // The disable_* six are old spellings, turned over when read.
  TextBool disable_remove_down_replica = false;
  TextBool disable_replace_offline_replica = false;
  TextBool disable_make_up_replica = false;
  TextBool disable_remove_extra_replica = false;
  TextBool disable_location_replacement = false;
  TextBool enable_remove_down_replica = true;
  TextBool enable_replace_offline_replica = true;
  TextBool enable_make_up_replica = true;
  TextBool enable_remove_extra_replica = true;
  TextBool enable_location_replacement = true;
  TextBool enable_debug_metrics = false;
  TextBool enable_joint_consensus = true;
  TextBool enable_tikv_split_region = true;
  TextBool enable_heartbeat_breakdown_metrics = true;
  TextBool enable_heartbeat_concurrent_runner = true;
  std::vector<SchedulerEntry> schedulers = {{"balance-region", {}, false, ""},
                                            {"balance-leader", {}, false, ""},
                                            {"hot-region", {}, false, ""},
                                            {"evict-slow-store", {}, false, ""},
                                            {"evict-stopping-store", {}, false, ""}};
  Nanos hot_regions_write_interval = std::chrono::minutes(10);
  uint64_t hot_regions_reserved_days = 7;
  int64_t max_movable_hot_peer_size = 512;  // MiB
  TextBool enable_diagnostic = true;
  TextBool enable_witness = false;
  double slow_store_evicting_affected_store_ratio_threshold = 0.3;
  std::string store_limit_version = "v1";
  TextBool halt_scheduling = false;
  int64_t patrol_region_worker_count = 1;
  uint64_t max_affinity_merge_region_size = 256;  // MiB

  /// max_merge_region_keys, or what it stands for when it is 0.
  [[nodiscard]] uint64_t MergeRegionKeys() const {
    return max_merge_region_keys != 0 ? max_merge_region_keys : max_merge_region_size * 10'000;
  }
};

struct ReplicationConfig {
  uint64_t max_replicas = 3;
  std::vector<std::string> location_labels;
  TextBool strictly_match_label = false;
  TextBool enable_placement_rules = true;
  TextBool enable_placement_rules_cache = false;
  std::string isolation_level;
};

struct PdServerConfig {
  TextBool use_region_storage = true;
  Nanos max_gap_reset_ts = std::chrono::hours(24);
  std::string key_type = "table";
  std::vector<std::string> runtime_services;
  std::string metric_storage;
  std::string dashboard_address = "auto";
  int64_t flow_round_by_digit = 3;
  Nanos min_resolved_ts_persistence_interval = std::chrono::seconds(1);
  double server_memory_limit = 0;
  double server_memory_limit_gc_trigger = 0.7;
  TextBool enable_gogc_tuner = true;
  double gc_tuner_threshold = 0.6;
  TextBool block_safe_point_v1 = false;
};

struct MasterKeyConfig {
  std::string type = "plaintext";
  std::string key_id;
  std::string region;
  std::string endpoint;
  std::string path;
};

struct EncryptionConfig {
  std::string data_encryption_method = "plaintext";
  Nanos data_key_rotation_period = std::chrono::hours(168);
  MasterKeyConfig master_key;
};

struct SecurityConfig {
  std::string cacert_path;
  std::string cert_path;
  std::string key_path;
  std::vector<std::string> cert_allowed_cn;
  Redaction redact_info_log = Redaction::kOff;
  EncryptionConfig encryption;
};

struct DashboardConfig {
  std::string tidb_cacert_path;
  std::string tidb_cert_path;
  std::string tidb_key_path;
  std::string public_path_prefix;
  std::string temp_dir;
  bool internal_proxy = false;
  bool enable_telemetry = false;
  bool enable_experimental = false;
  bool disable_custom_prom_addr = false;
};

struct DrAutoSyncConfig {
  std::string label_key;
  std::string primary;
  std::string dr;
  int64_t primary_replicas = 0;
  int64_t dr_replicas = 0;
  Nanos wait_store_timeout = std::chrono::minutes(1);
  Nanos wait_recover_timeout{0};
  TextBool pause_region_split = false;
};

struct ReplicationModeConfig {
  std::string replication_mode = "majority";
  DrAutoSyncConfig dr_auto_sync;
};

struct KeyspaceConfig {
  std::vector<std::string> pre_alloc;
  bool wait_region_split = true;
  Nanos wait_region_split_timeout = std::chrono::seconds(30);
  Nanos check_region_split_interval = std::chrono::milliseconds(50);
  std::map<std::string, std::string> meta_service_groups;
};

struct MicroServiceConfig {
  TextBool enable_scheduling_fallback = true;
  TextBool enable_tso_dynamic_switching = false;
  TextBool enable_resource_manager_fallback = true;
};

struct RequestUnitConfig {
  double read_base_cost = 0.125;
  double read_per_batch_base_cost = 0.5;
  double read_cost_per_byte = 1.0 / 65536;
  double write_base_cost = 1;
  double write_per_batch_base_cost = 1;
  double write_cost_per_byte = 1.0 / 1024;
  double read_cpu_ms_cost = 1.0 / 3;
};

struct ControllerConfig {
  Nanos degraded_mode_wait_duration{0};
  Nanos ltb_max_wait_duration = std::chrono::seconds(30);
  Nanos ltb_token_rpc_max_delay = std::chrono::seconds(1);
  RequestUnitConfig request_unit;
  TextBool enable_controller_trace_log = false;
  std::string push_metrics_address;
  Nanos push_metrics_interval{0};
};

/// Stores that carry the label get the property (only "reject-leader" has an effect).
struct StoreLabelEntry {
  std::string key;
  std::string value;

  auto operator<=>(const StoreLabelEntry&) const = default;
};
using LabelPropertyConfig = std::map<std::string, std::vector<StoreLabelEntry>>;

}  // namespace pd

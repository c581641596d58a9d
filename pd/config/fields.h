#pragma once

#include "pd/config/config.h"
#include "pd/config/config_store.h"

// The one table of names: VisitFields(visitor, section) shows a visitor each member of a section with its name, in the
// order in which the reference writes them. JSON and TOML readers and writers and the search for bare names hang on it.
//
// A visitor has Field (always written), OmitEmpty (left out of JSON when zero), CommaList (a list that JSON writes as
// "a,b" and TOML as an array), NullList and NullMap (which JSON writes as null when they are empty).

namespace pd {

/// A member's name; TOML's differs in a few places.
struct FieldName {
  FieldName(const char* both) : json(both), toml(both) {}  // NOLINT(google-explicit-constructor)
  FieldName(const char* json_name, const char* toml_name) : json(json_name), toml(toml_name) {}

  const char* json;
  const char* toml;
};

/// The reference's name of the section's type, which its decoder puts into error texts.
inline const char* SectionTypeName(const LogFileConfig&) { return "FileLogConfig"; }
inline const char* SectionTypeName(const LogSampling&) { return "SamplingConfig"; }
inline const char* SectionTypeName(const LogConfig&) { return "Config"; }
inline const char* SectionTypeName(const MetricConfig&) { return "MetricConfig"; }
inline const char* SectionTypeName(const StoreLimitConfig&) { return "StoreLimitConfig"; }
inline const char* SectionTypeName(const SchedulerEntry&) { return "SchedulerConfig"; }
inline const char* SectionTypeName(const ScheduleConfig&) { return "ScheduleConfig"; }
inline const char* SectionTypeName(const ReplicationConfig&) { return "ReplicationConfig"; }
inline const char* SectionTypeName(const PdServerConfig&) { return "PDServerConfig"; }
inline const char* SectionTypeName(const MasterKeyConfig&) { return "MasterKeyConfig"; }
inline const char* SectionTypeName(const EncryptionConfig&) { return "Config"; }
inline const char* SectionTypeName(const SecurityConfig&) { return "SecurityConfig"; }
inline const char* SectionTypeName(const DashboardConfig&) { return "DashboardConfig"; }
inline const char* SectionTypeName(const DrAutoSyncConfig&) {
  return "DRAutoSyncReplicationConfig";
}
inline const char* SectionTypeName(const ReplicationModeConfig&) { return "ReplicationModeConfig"; }
inline const char* SectionTypeName(const KeyspaceConfig&) { return "KeyspaceConfig"; }
inline const char* SectionTypeName(const MicroServiceConfig&) { return "MicroServiceConfig"; }
inline const char* SectionTypeName(const RequestUnitConfig&) { return "RequestUnitConfig"; }
inline const char* SectionTypeName(const ControllerConfig&) { return "ControllerConfig"; }
inline const char* SectionTypeName(const StoreLabelEntry&) { return "StoreLabel"; }
inline const char* SectionTypeName(const Config&) { return "Config"; }
inline const char* SectionTypeName(const OnlineConfig&) { return "PersistOptions"; }

template <class T>
concept Section = requires(const T& section) {
  { SectionTypeName(section) };
};

template <class V>
void VisitFields(V& v, LogFileConfig& c) {
  v.Field("filename", c.filename);
  v.Field("max-size", c.max_size_mib);
  v.Field("max-days", c.max_days);
  v.Field("max-backups", c.max_backups);
}

template <class V>
void VisitFields(V& v, LogSampling& c) {
  v.Field("initial", c.initial);
  v.Field("thereafter", c.thereafter);
}

template <class V>
void VisitFields(V& v, LogConfig& c) {
  v.Field("level", c.level);
  v.Field("format", c.format);
  v.Field("disable-timestamp", c.disable_timestamp);
  v.Field("file", c.file);
  v.Field("development", c.development);
  v.Field("disable-caller", c.disable_caller);
  v.Field("disable-stacktrace", c.disable_stacktrace);
  v.Field("disable-error-verbose", c.disable_error_verbose);
  v.Field("sampling", c.sampling);
  v.Field("error-output-path", c.error_output_path);
}

template <class V>
void VisitFields(V& v, MetricConfig& c) {
  v.Field("job", c.job);
  v.Field("address", c.address);
  v.Field("interval", c.interval);
}

template <class V>
void VisitFields(V& v, StoreLimitConfig& c) {
  v.Field("add-peer", c.add_peer);
  v.Field("remove-peer", c.remove_peer);
}

template <class V>
void VisitFields(V& v, SchedulerEntry& c) {
  v.Field("type", c.type);
  v.NullList("args", c.args);
  v.Field("disable", c.disable);
  v.Field("args-payload", c.args_payload);
}

template <class V>
void VisitScheduleLimits(V& v, ScheduleConfig& c) {
  v.Field("leader-schedule-limit", c.leader_schedule_limit);
  v.Field("leader-schedule-policy", c.leader_schedule_policy);
  v.Field("region-schedule-limit", c.region_schedule_limit);
  v.Field("witness-schedule-limit", c.witness_schedule_limit);
  v.Field("replica-schedule-limit", c.replica_schedule_limit);
  v.Field("merge-schedule-limit", c.merge_schedule_limit);
  v.Field("hot-region-schedule-limit", c.hot_region_schedule_limit);
  v.Field("affinity-schedule-limit", c.affinity_schedule_limit);
  v.Field("split-scatter-schedule-limit", c.split_scatter_schedule_limit);
  v.Field("hot-region-cache-hits-threshold", c.hot_region_cache_hits_threshold);
  v.OmitEmpty("store-balance-rate", c.store_balance_rate);
  v.Field("default-store-limit", c.default_store_limit);
  v.Field("store-limit", c.store_limit);
  v.Field("tolerant-size-ratio", c.tolerant_size_ratio);
  v.Field("low-space-ratio", c.low_space_ratio);
  v.Field("high-space-ratio", c.high_space_ratio);
  v.Field("region-score-formula-version", c.region_score_formula_version);
  v.Field("scheduler-max-waiting-operator", c.scheduler_max_waiting_operator);
}

template <class V>
void VisitScheduleSwitches(V& v, ScheduleConfig& c) {
  v.OmitEmpty("disable-raft-learner", c.disable_raft_learner);
  v.OmitEmpty("disable-remove-down-replica", c.disable_remove_down_replica);
  v.OmitEmpty("disable-replace-offline-replica", c.disable_replace_offline_replica);
  v.OmitEmpty("disable-make-up-replica", c.disable_make_up_replica);
  v.OmitEmpty("disable-remove-extra-replica", c.disable_remove_extra_replica);
  v.OmitEmpty("disable-location-replacement", c.disable_location_replacement);
  v.Field("enable-remove-down-replica", c.enable_remove_down_replica);
  v.Field("enable-replace-offline-replica", c.enable_replace_offline_replica);
  v.Field("enable-make-up-replica", c.enable_make_up_replica);
  v.Field("enable-remove-extra-replica", c.enable_remove_extra_replica);
  v.Field("enable-location-replacement", c.enable_location_replacement);
  v.Field("enable-debug-metrics", c.enable_debug_metrics);
  v.Field("enable-joint-consensus", c.enable_joint_consensus);
  v.Field("enable-tikv-split-region", c.enable_tikv_split_region);
  v.Field("enable-heartbeat-breakdown-metrics", c.enable_heartbeat_breakdown_metrics);
  v.Field("enable-heartbeat-concurrent-runner", c.enable_heartbeat_concurrent_runner);
}

template <class V>
void VisitFields(V& v, ScheduleConfig& c) {
  v.Field("max-snapshot-count", c.max_snapshot_count);
  v.Field("max-pending-peer-count", c.max_pending_peer_count);
  v.Field("max-merge-region-size", c.max_merge_region_size);
  v.Field("max-merge-region-keys", c.max_merge_region_keys);
  v.Field("split-merge-interval", c.split_merge_interval);
  v.Field("switch-witness-interval", c.switch_witness_interval);
  v.Field("enable-one-way-merge", c.enable_one_way_merge);
  v.Field("enable-cross-table-merge", c.enable_cross_table_merge);
  v.Field("patrol-region-interval", c.patrol_region_interval);
  v.Field("max-store-down-time", c.max_store_down_time);
  v.Field("max-store-preparing-time", c.max_store_preparing_time);
  VisitScheduleLimits(v, c);
  VisitScheduleSwitches(v, c);
  v.Field(FieldName("schedulers-v2", "schedulers"), c.schedulers);
  v.Field("hot-regions-write-interval", c.hot_regions_write_interval);
  v.Field("hot-regions-reserved-days", c.hot_regions_reserved_days);
  v.OmitEmpty("max-movable-hot-peer-size", c.max_movable_hot_peer_size);
  v.Field("enable-diagnostic", c.enable_diagnostic);
  v.Field("enable-witness", c.enable_witness);
  v.OmitEmpty("slow-store-evicting-affected-store-ratio-threshold",
              c.slow_store_evicting_affected_store_ratio_threshold);
  v.OmitEmpty("store-limit-version", c.store_limit_version);
  v.OmitEmpty("halt-scheduling", c.halt_scheduling);
  v.Field("patrol-region-worker-count", c.patrol_region_worker_count);
  v.Field("max-affinity-merge-region-size", c.max_affinity_merge_region_size);
}

template <class V>
void VisitFields(V& v, ReplicationConfig& c) {
  v.Field("max-replicas", c.max_replicas);
  v.CommaList("location-labels", c.location_labels);
  v.Field("strictly-match-label", c.strictly_match_label);
  v.Field("enable-placement-rules", c.enable_placement_rules);
  v.Field("enable-placement-rules-cache", c.enable_placement_rules_cache);
  v.Field("isolation-level", c.isolation_level);
}

template <class V>
void VisitFields(V& v, PdServerConfig& c) {
  v.Field("use-region-storage", c.use_region_storage);
  v.Field("max-gap-reset-ts", c.max_gap_reset_ts);
  v.Field("key-type", c.key_type);
  v.CommaList("runtime-services", c.runtime_services);
  v.Field("metric-storage", c.metric_storage);
  v.Field("dashboard-address", c.dashboard_address);
  v.Field("flow-round-by-digit", c.flow_round_by_digit);
  v.Field("min-resolved-ts-persistence-interval", c.min_resolved_ts_persistence_interval);
  v.Field("server-memory-limit", c.server_memory_limit);
  v.Field("server-memory-limit-gc-trigger", c.server_memory_limit_gc_trigger);
  v.Field("enable-gogc-tuner", c.enable_gogc_tuner);
  v.Field("gc-tuner-threshold", c.gc_tuner_threshold);
  v.Field("block-safe-point-v1", c.block_safe_point_v1);
}

template <class V>
void VisitFields(V& v, MasterKeyConfig& c) {
  v.Field("type", c.type);
  v.Field("key-id", c.key_id);
  v.Field("region", c.region);
  v.Field("endpoint", c.endpoint);
  v.Field("path", c.path);
}

template <class V>
void VisitFields(V& v, EncryptionConfig& c) {
  v.Field("data-encryption-method", c.data_encryption_method);
  v.Field("data-key-rotation-period", c.data_key_rotation_period);
  v.Field("master-key", c.master_key);
}

template <class V>
void VisitFields(V& v, SecurityConfig& c) {
  v.Field("cacert-path", c.cacert_path);
  v.Field("cert-path", c.cert_path);
  v.Field("key-path", c.key_path);
  v.NullList("cert-allowed-cn", c.cert_allowed_cn);
  v.Field("redact-info-log", c.redact_info_log);
  v.Field("encryption", c.encryption);
}

template <class V>
void VisitFields(V& v, DashboardConfig& c) {
  v.Field("tidb-cacert-path", c.tidb_cacert_path);
  v.Field("tidb-cert-path", c.tidb_cert_path);
  v.Field("tidb-key-path", c.tidb_key_path);
  v.Field("public-path-prefix", c.public_path_prefix);
  v.Field("temp-dir", c.temp_dir);
  v.Field("internal-proxy", c.internal_proxy);
  v.Field("enable-telemetry", c.enable_telemetry);
  v.Field("enable-experimental", c.enable_experimental);
  v.Field("disable-custom-prom-addr", c.disable_custom_prom_addr);
}

template <class V>
void VisitFields(V& v, DrAutoSyncConfig& c) {
  v.Field("label-key", c.label_key);
  v.Field("primary", c.primary);
  v.Field("dr", c.dr);
  v.Field("primary-replicas", c.primary_replicas);
  v.Field("dr-replicas", c.dr_replicas);
  v.Field("wait-store-timeout", c.wait_store_timeout);
  v.Field("wait-recover-timeout", c.wait_recover_timeout);
  v.Field("pause-region-split", c.pause_region_split);
}

template <class V>
void VisitFields(V& v, ReplicationModeConfig& c) {
  v.Field("replication-mode", c.replication_mode);
  v.Field("dr-auto-sync", c.dr_auto_sync);
}

template <class V>
void VisitFields(V& v, KeyspaceConfig& c) {
  v.NullList("pre-alloc", c.pre_alloc);
  v.Field("wait-region-split", c.wait_region_split);
  v.Field("wait-region-split-timeout", c.wait_region_split_timeout);
  v.Field("check-region-split-interval", c.check_region_split_interval);
  v.NullMap("meta-service-groups", c.meta_service_groups);
}

template <class V>
void VisitFields(V& v, MicroServiceConfig& c) {
  v.Field("enable-scheduling-fallback", c.enable_scheduling_fallback);
  v.Field("enable-tso-dynamic-switching", c.enable_tso_dynamic_switching);
  v.Field("enable-resource-manager-fallback", c.enable_resource_manager_fallback);
}

template <class V>
void VisitFields(V& v, RequestUnitConfig& c) {
  v.Field("read-base-cost", c.read_base_cost);
  v.Field("read-per-batch-base-cost", c.read_per_batch_base_cost);
  v.Field("read-cost-per-byte", c.read_cost_per_byte);
  v.Field("write-base-cost", c.write_base_cost);
  v.Field("write-per-batch-base-cost", c.write_per_batch_base_cost);
  v.Field("write-cost-per-byte", c.write_cost_per_byte);
  v.Field("read-cpu-ms-cost", c.read_cpu_ms_cost);
}

template <class V>
void VisitFields(V& v, ControllerConfig& c) {
  v.Field("degraded-mode-wait-duration", c.degraded_mode_wait_duration);
  v.Field("ltb-max-wait-duration", c.ltb_max_wait_duration);
  v.Field("ltb-token-rpc-max-delay", c.ltb_token_rpc_max_delay);
  v.Field("request-unit", c.request_unit);
  v.Field("enable-controller-trace-log", c.enable_controller_trace_log);
  v.Field("push-metrics-address", c.push_metrics_address);
  v.Field("push-metrics-interval", c.push_metrics_interval);
}

template <class V>
void VisitFields(V& v, StoreLabelEntry& c) {
  v.Field("key", c.key);
  v.Field("value", c.value);
}

/// The sections that can change at run time, as they are stored.
template <class V>
void VisitFields(V& v, OnlineConfig& c) {
  v.Field("schedule", c.schedule);
  v.Field("replication", c.replication);
  v.Field("pd-server", c.pd_server);
  v.Field("cluster-version", c.cluster_version);
  v.Field("label-property", c.label_property);
  v.Field("replication-mode", c.replication_mode);
  v.Field("keyspace", c.keyspace);
  v.Field("micro-service", c.micro_service);
  v.Field("controller", c.controller);
}

template <class V>
void VisitFields(V& v, Config& c) {
  v.Field("client-urls", c.client_urls);
  v.Field("peer-urls", c.peer_urls);
  v.Field("advertise-client-urls", c.advertise_client_urls);
  v.Field("advertise-peer-urls", c.advertise_peer_urls);
  v.Field("name", c.name);
  v.Field("data-dir", c.data_dir);
  v.Field("force-new-cluster", c.force_new_cluster);
  v.Field("enable-grpc-gateway", c.enable_grpc_gateway);
  v.Field("initial-cluster", c.initial_cluster);
  v.Field("initial-cluster-state", c.initial_cluster_state);
  v.Field("initial-cluster-token", c.initial_cluster_token);
  v.Field("join", c.join);
  v.Field("lease", c.lease_s);
  v.Field("log", c.log);
  v.OmitEmpty("log-file", c.log_file);
  v.OmitEmpty("log-level", c.log_level);
  v.Field("max-concurrent-tso-proxy-streamings", c.max_concurrent_tso_proxy_streamings);
  v.Field("tso-proxy-recv-from-client-timeout", c.tso_proxy_recv_from_client_timeout);
  v.Field("tso-save-interval", c.tso_save_interval);
  v.Field("tso-update-physical-interval", c.tso_update_physical_interval);
  v.Field("enable-local-tso", c.enable_local_tso);
  v.Field("metric", c.metric);
  v.Field("schedule", c.schedule);
  v.Field("replication", c.replication);
  v.Field("pd-server", c.pd_server);
  v.Field("cluster-version", c.cluster_version);
  v.Field("labels", c.labels);
  v.Field("quota-backend-bytes", c.quota_backend_bytes);
  v.Field("auto-compaction-mode", c.auto_compaction_mode);
  v.Field(FieldName("auto-compaction-retention-v2", "auto-compaction-retention"),
          c.auto_compaction_retention);
  v.Field("tick-interval", c.tick_interval);
  v.Field("election-interval", c.election_interval);
  v.Field("enable-prevote", c.enable_prevote);
  v.Field("max-request-bytes", c.max_request_bytes);
  v.Field("security", c.security);
  v.Field("label-property", c.label_property);
  v.Field("dashboard", c.dashboard);
  v.Field("replication-mode", c.replication_mode);
  v.Field("keyspace", c.keyspace);
  v.Field("micro-service", c.micro_service);
  v.Field("controller", c.controller);
}

}  // namespace pd

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pd/config/sections.h"
#include "pd/result.h"

namespace pd {

/// The whole configuration of a server, as the file, the command line and the environment give it.
/// A plain value; what can change at run time lives in ConfigStore, which starts from one of these.
struct Config {
  std::string client_urls;  // Comma-separated; empty until FillDefaults().
  std::string peer_urls;
  std::string advertise_client_urls;
  std::string advertise_peer_urls;
  std::string name;
  std::string data_dir;
  bool force_new_cluster = false;
  bool enable_grpc_gateway = true;
  std::string initial_cluster;
  std::string initial_cluster_state = "new";
  std::string initial_cluster_token = "pd-cluster";
  std::string join;
  int64_t lease_s = 5;
  LogConfig log;
  std::string log_file;   // Old spelling of log.file.filename.
  std::string log_level;  // Old spelling of log.level.
  int64_t max_concurrent_tso_proxy_streamings = 5000;
  Nanos tso_proxy_recv_from_client_timeout = std::chrono::hours(1);
  Nanos tso_save_interval = std::chrono::seconds(5);
  Nanos tso_update_physical_interval = std::chrono::milliseconds(50);
  bool enable_local_tso = false;
  MetricConfig metric;
  ScheduleConfig schedule;
  ReplicationConfig replication;
  PdServerConfig pd_server;
  std::string cluster_version = "0.0.0";
  std::map<std::string, std::string> labels;
  ByteSize quota_backend_bytes{8ULL << 30};
  std::string auto_compaction_mode = "periodic";
  std::string auto_compaction_retention = "1h";
  Nanos tick_interval = std::chrono::milliseconds(500);
  Nanos election_interval = std::chrono::seconds(3);
  bool enable_prevote = true;
  uint64_t max_request_bytes = 157286400;
  SecurityConfig security;
  LabelPropertyConfig label_property;
  DashboardConfig dashboard;
  ReplicationModeConfig replication_mode;
  KeyspaceConfig keyspace;
  MicroServiceConfig micro_service;
  ControllerConfig controller;

  /// Dotted keys that the file or the command line really set: the timing defaults of this server
  /// hold only for others.
  std::vector<std::string> explicit_keys;
  /// Things in the file that have no effect (unknown or deprecated keys), one text each, naming the
  /// key.
  std::vector<std::string> warnings;

  [[nodiscard]] bool IsExplicit(std::string_view key) const;
};

/// Reads a TOML text over `config`. kInvalidArgument names the key and what is wrong with it (a
/// type, a value, two spellings that contradict each other); unknown keys land in `warnings` as
/// "Config contains undefined item: a.b".
Result<void> ReadToml(std::string_view text, Config& config);

/// Reads the file; kIo when it cannot be read, else as ReadToml, with the file's name in front.
Result<void> ReadTomlFile(const std::string& path, Config& config);

/// Fills what depends on other values (names, advertised URLs, data directory, initial cluster) and
/// checks the rest. kInvalidArgument names the key. `hostname` stands in for the machine's.
Result<void> FillDefaults(Config& config, const std::string& hostname);

/// The configuration as GET /pd/api/v1/config shows it, compact, as in the reference.
std::string ConfigToJson(const Config& config);

/// How much of the key space's history is kept, by age or by number; both 0: all of it.
struct HistoryKept {
  Nanos age{0};
  int64_t revisions = 0;
};
/// From auto-compaction-mode and auto-compaction-retention, read as etcd does: a bare number is hours
/// in the one mode and revisions in the other. kInvalidArgument names the key.
Result<HistoryKept> ParseHistoryKept(const Config& config);

/// The log section in the log's own words. kInvalidArgument for an unknown level or format.
Result<LogOptions> MakeLogOptions(const Config& config);

/// Splits "http://a:1,http://b:2"; kInvalidArgument names the item that is no URL with host and
/// port.
Result<std::vector<std::string>> ParseUrls(std::string_view list);

}  // namespace pd

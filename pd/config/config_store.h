#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pd/config/config.h"
#include "pd/result.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// The part of the configuration that can change while the cluster runs; kept as JSON under
/// /pd/{cid}/config.
struct OnlineConfig {
  ScheduleConfig schedule;
  ReplicationConfig replication;
  PdServerConfig pd_server;
  ReplicationModeConfig replication_mode;
  LabelPropertyConfig label_property;
  KeyspaceConfig keyspace;
  MicroServiceConfig micro_service;
  ControllerConfig controller;
  std::string cluster_version = "0.0.0";
};

/// The sections by name.
enum class ConfigSection {
  kSchedule,
  kReplication,
  kPdServer,
  kReplicationMode,
  kLabelProperty,
  kKeyspace,
  kMicroService,
  kController,
};

/// The part of `config` that may change later.
OnlineConfig MakeOnlineConfig(const Config& config);

/// What is stored under /pd/{cid}/config.
std::string OnlineConfigToJson(const OnlineConfig& online);
/// Reads it over `online`: keys that it lacks keep their values. kCorrupt when it is not that JSON.
Result<void> ReadOnlineConfig(std::string_view json, OnlineConfig& online);

/// One section as its GET route shows it, compact.
std::string SectionToJson(const OnlineConfig& online, ConfigSection section);

/// Reads a JSON object over one section: unknown keys are ignored, as by the reference's routes for
/// whole sections. kInvalidArgument with the decoder's text.
Result<void> ReadSection(std::string_view json, ConfigSection section, OnlineConfig& online);

/// Checks every section; kInvalidArgument with the reference's text.
Result<void> ValidateOnlineConfig(const OnlineConfig& online);

/// POST /pd/api/v1/config: sets one item, `key` being "section.item", or a bare item that is looked
/// for in the sections in their order; `json` is the value. kInvalidArgument with the reference's
/// text. "log.level" is not here, see ConfigStore::SetItem.
Result<void> SetConfigItem(std::string_view key, std::string_view json, OnlineConfig& online);

/// Whether an item (full name, "schedule.leader-schedule-limit") may be set for a limited time.
bool IsTemporaryItem(std::string_view key);

/// Holds the online configuration of a server, and on the leader changes and persists it.
/// Thread-safe.
class ConfigStore {
 public:
  using Snapshot = std::shared_ptr<const OnlineConfig>;
  /// Writes it down for the cluster and waits until that is committed.
  using Persist = std::function<Result<void>(const OnlineConfig& online)>;
  using Change = std::function<Result<void>(OnlineConfig&)>;
  /// Looks at a change before it is written: what hangs on things outside the configuration (rules, members).
  using Check = std::function<Result<void>(const OnlineConfig& before, const OnlineConfig& after)>;
  using Observer = std::function<void(const Snapshot&)>;

  /// `config` gives the values of a cluster that has stored none.
  ConfigStore(Config config, Persist persist);

  /// What holds now, temporary items included. Cheap; the snapshot does not change.
  [[nodiscard]] Snapshot online() const PD_EXCLUDES(mutex_);
  /// The same without them: what the configuration routes show, as the reference's do.
  [[nodiscard]] Snapshot lasting() const PD_EXCLUDES(mutex_);
  /// What the file and the command line said, with the online sections of now; but for the controller's, which the
  /// reference shows as it started (its readers watch a key of their own).
  [[nodiscard]] Config Effective() const PD_EXCLUDES(mutex_);

  /// Changes a copy, checks it, persists it, then shows it. Leader only. What is unchanged is success without a write,
  /// unless the last write failed. Errors: those of `change`, of ValidateOnlineConfig, and of the write.
  Result<void> Update(const Change& change) PD_EXCLUDES(mutex_);

  /// One item of POST /pd/api/v1/config, "log.level" and "level" included (these act on this member
  /// at once).
  Result<void> SetItem(std::string_view key, std::string_view json);

  /// The replicated JSON changed, or was read when the member became leader: shows it, without
  /// writing. Empty: none yet.
  Result<void> OnReplicated(std::string_view json) PD_EXCLUDES(mutex_);

  /// Whether items of the schedule section, named without their section, may be set for good. Errors, with the
  /// reference's texts: kConflict where one is set for a time now; kInvalidArgument where one is gone for good.
  [[nodiscard]] Result<void> CheckScheduleItems(const std::vector<std::string>& names) const
      PD_EXCLUDES(mutex_);

  /// Checks what is to be set for a time. kInvalidArgument: `unsupported ttl config X`, or the decoder's text.
  [[nodiscard]] Result<void> CheckTemporary(std::string_view key, std::string_view json) const;
  /// A temporary item came (or, with nothing, went): it lies over the lasting value, which cannot be changed meanwhile.
  void OnTemporary(const std::string& key, const std::optional<std::string>& json)
      PD_EXCLUDES(mutex_);
  /// All temporary items there are.
  void ResetTemporary(std::map<std::string, std::string> items) PD_EXCLUDES(mutex_);

  /// Errors of `check` refuse the change. Add all before the first change.
  void AddCheck(Check check) { checks_.push_back(std::move(check)); }

  /// `observer` is called after each change with the new snapshot, on the thread that made it. Add
  /// all before the first change.
  void AddObserver(Observer observer) { observers_.push_back(std::move(observer)); }

 private:
  Result<void> UpdateAlone(const Change& change) PD_EXCLUDES(mutex_);
  /// Shows a new lasting configuration (nothing: the same) under the temporary items of now.
  void Show(Snapshot next) PD_EXCLUDES(mutex_);
  [[nodiscard]] bool IsTemporaryNow(const std::string& key) const PD_EXCLUDES(mutex_);

  const Config config_;
  Persist persist_;
  std::vector<Check> checks_;
  std::vector<Observer> observers_;
  mutable Mutex mutex_;
  CondVar updated_;
  bool updating_ PD_GUARDED_BY(mutex_) =
      false;             // One at a time: what is written is the whole configuration.
  bool unsure_ = false;  // A write that failed may be done all the same. For who updates.
  Snapshot lasting_ PD_GUARDED_BY(mutex_);
  Snapshot online_ PD_GUARDED_BY(mutex_);
  std::map<std::string, std::string> temporary_ PD_GUARDED_BY(mutex_);  // By full name.
};

}  // namespace pd

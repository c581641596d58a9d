#include "pd/config/config_store.h"

#include <cmath>

#include <fmt/format.h>

#include "pd/config/json_reader.h"
#include "pd/config/json_text.h"
#include "pd/config/json_writer.h"

namespace pd {
namespace {

using Json = nlohmann::json;

tl::unexpected<Error> Refuse(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

bool Outside(double value, double low, double high) { return !(value >= low && value <= high); }

Result<void> Validate(const ScheduleConfig& schedule) {
  if (!(schedule.tolerant_size_ratio >= 0))
    return Refuse("tolerant-size-ratio should be non-negative");
  if (Outside(schedule.low_space_ratio, 0, 1))
    return Refuse("low-space-ratio should between 0 and 1");
  if (Outside(schedule.high_space_ratio, 0, 1))
    return Refuse("high-space-ratio should between 0 and 1");
  if (schedule.low_space_ratio <= schedule.high_space_ratio) {
    return Refuse("low-space-ratio should be larger than high-space-ratio");
  }
  if (schedule.leader_schedule_policy != "count" && schedule.leader_schedule_policy != "size") {
    return Refuse(
        fmt::format("leader-schedule-policy {} is invalid", schedule.leader_schedule_policy));
  }
  if (!(schedule.slow_store_evicting_affected_store_ratio_threshold > 0)) {
    return Refuse("slow-store-evicting-affected-store-ratio-threshold is not set");
  }
  if (schedule.patrol_region_worker_count < 1 || schedule.patrol_region_worker_count > 8) {
    return Refuse("patrol-region-worker-count should be between 1 and 8");
  }
  if (schedule.patrol_region_interval <= Nanos(0))
    return Refuse("patrol-region-interval should be positive");
  if (schedule.max_store_down_time <= Nanos(0))
    return Refuse("max-store-down-time should be positive");
  const StoreLimitConfig& limit = schedule.default_store_limit;
  if (!std::isfinite(limit.add_peer) || !std::isfinite(limit.remove_peer) || limit.add_peer < 0 ||
      limit.remove_peer < 0) {
    return Refuse("default-store-limit should be non-negative and finite");
  }
  return {};
}

/// A label key: letters, digits and -._ inside, a letter or digit at both ends, an optional prefix before a slash.
bool IsLabelKey(std::string_view key) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (!key.empty() && key.front() == '$') key.remove_prefix(1);
  if (key.empty() || !alphanumeric(key.front()) || !alphanumeric(key.back())) return false;
  for (const char c : key) {
    if (!alphanumeric(c) && c != '-' && c != '.' && c != '_' && c != '/') return false;
  }
  return true;
}

Result<void> Validate(const ReplicationConfig& replication) {
  if (replication.max_replicas == 0) {
    return Refuse("[PD:placement:ErrRuleContent]invalid rule content, invalid count 0");
  }
  constexpr uint64_t kReplicasMax = 1000;  // As placement rules bound them.
  if (replication.max_replicas > kReplicasMax) {
    return Refuse(fmt::format("max-replicas should be at most {}", kReplicasMax));
  }
  bool found = replication.isolation_level.empty();
  for (const std::string& label : replication.location_labels) {
    if (!IsLabelKey(label)) return Refuse(fmt::format("invalid label key: {}", label));
    found = found || label == replication.isolation_level;
  }
  if (!found) return Refuse("isolation-level must be one of location-labels or empty");
  return {};
}

Result<void> Validate(const PdServerConfig& server) {
  if (server.key_type != "table" && server.key_type != "raw" && server.key_type != "txn") {
    return Refuse(fmt::format("key-type {} is invalid", server.key_type));
  }
  if (server.flow_round_by_digit < 0) {
    return Refuse("[PD:server:ErrConfiguration]flow round by digit cannot be negative number");
  }
  if (Outside(server.server_memory_limit, 0, 0.99)) {
    return Refuse("server-memory-limit should between 0 and 0.99");
  }
  if (Outside(server.server_memory_limit_gc_trigger, 0.5, 0.99)) {
    return Refuse("server-memory-limit-gc-trigger should between 0.5 and 0.99");
  }
  if (Outside(server.gc_tuner_threshold, 0, 0.9))
    return Refuse("gc-tuner-threshold should between 0 and 0.9");
  const std::string& address = server.dashboard_address;
  if (address != "auto" && address != "none" && !ParseUrls(address)) {
    return Refuse(fmt::format("dashboard address {} is invalid", address));
  }
  return {};
}

Result<void> Validate(const ReplicationModeConfig& mode) {
  std::string name = mode.replication_mode;
  for (char& c : name)
    c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "majority" || name == "dr-auto-sync") return {};
  return Refuse(fmt::format("invalid replication mode: {}", mode.replication_mode));
}

Result<void> Validate(const KeyspaceConfig& keyspace) {
  const Nanos interval = keyspace.check_region_split_interval;
  if (interval < Millis(1) || interval > Millis(100)) {
    return Refuse(
        "[PD:keyspace:ErrConfigValue]check-region-split-interval should be between 1ms and 100ms");
  }
  if (interval >= keyspace.wait_region_split_timeout) {
    return Refuse("wait-region-split-timeout should be larger than check-region-split-interval");
  }
  return {};
}

/// Collects the dotted names of all items in the order of the sections, for the search of bare names.
class NameCollector {
 public:
  explicit NameCollector(std::string path) : path_(std::move(path)) {}

  template <class T>
  void Field(FieldName name, T& value) {
    if constexpr (Section<T>) {
      NameCollector inner(path_ + name.json + ".");
      VisitFields(inner, value);
      for (auto& item : inner.names) names.push_back(std::move(item));
    } else {
      names.push_back(path_ + name.json);
    }
  }
  template <class T>
  void OmitEmpty(FieldName name, T& value) {
    Field(name, value);
  }
  void CommaList(FieldName name, std::vector<std::string>& list) { Field(name, list); }
  void NullList(FieldName name, std::vector<std::string>& list) { Field(name, list); }
  void NullMap(FieldName name, std::map<std::string, std::string>& map) { Field(name, map); }

  std::vector<std::string> names;

 private:
  const std::string path_;
};

/// "leader-schedule-limit" to "schedule.leader-schedule-limit": the first item whose last name it is.
Result<std::string> FindItem(std::string_view bare) {
  static const std::vector<std::string> kNames = [] {
    Config config;
    NameCollector collector("");
    VisitFields(collector, config);
    return collector.names;
  }();
  for (const std::string& name : kNames) {
    if (name == bare || name.ends_with("." + std::string(bare))) return name;
  }
  return Refuse(fmt::format("config item {} not found", bare));
}

std::vector<std::string> SplitDots(const std::string& key) {
  std::vector<std::string> parts;
  size_t from = 0;
  while (from <= key.size()) {
    const size_t dot = std::min(key.find('.', from), key.size());
    parts.push_back(key.substr(from, dot - from));
    from = dot + 1;
  }
  return parts;
}

/// Sets the item named by the last part of the key.
template <class S>
Result<void> SetLast(const std::vector<std::string>& parts, const Json& value, S& section) {
  const auto unknown = JsonReader::Read(Json{{parts.back(), value}}, section);
  if (!unknown) return tl::unexpected(unknown.error());
  if (!unknown->empty()) return Refuse(fmt::format("config item {} not found", parts.back()));
  return {};
}

Result<void> CheckStillThere(std::string_view schedule_item) {
  static constexpr std::string_view kGone[] = {"store-balance-rate",
                                               "disable-raft-learner",
                                               "disable-remove-down-replica",
                                               "disable-make-up-replica",
                                               "disable-remove-extra-replica",
                                               "disable-location-replacement",
                                               "disable-replace-offline-replica"};
  for (const std::string_view gone : kGone) {
    if (schedule_item == gone) return Refuse(fmt::format("{} has already been deprecated", gone));
  }
  return {};
}

Result<void> SetScheduleItem(const std::vector<std::string>& parts, const Json& value,
                             ScheduleConfig& schedule) {
  if (auto there = CheckStillThere(parts.back()); !there) return there;
  return SetLast(parts, value, schedule);
}

std::string TemporaryText(std::string_view item) {
  return fmt::format("need to clean up TTL first for {}", item);
}

Result<void> SetReplicationMode(const std::vector<std::string>& parts, const Json& value,
                                ReplicationModeConfig& mode) {
  if (parts.size() < 2) return Refuse("cannot update config prefix replication-mode");
  Json nested = value;
  for (size_t i = parts.size(); i-- > 1;) nested = Json{{parts[i], nested}};
  const auto unknown = JsonReader::Read(nested, mode);
  if (!unknown) return tl::unexpected(unknown.error());
  if (!unknown->empty()) return Refuse(fmt::format("config item {} not found", parts[1]));
  return {};
}

Result<void> SetController(const std::vector<std::string>& parts, const Json& value,
                           ControllerConfig& controller) {
  if (parts.size() > 2) {
    return Refuse(fmt::format(
        "can't update controller child item {}, only top-level items are allowed", parts.back()));
  }
  const auto unknown = JsonReader::Read(Json{{parts.back(), value}}, controller);
  if (!unknown) return Refuse("failed to update controller config: " + unknown.error().context);
  if (!unknown->empty())
    return Refuse(fmt::format("controller config item {} not found", parts.back()));
  return {};
}

Result<void> SetClusterVersion(const Json& value, std::string& version) {
  if (!value.is_string()) return Refuse(fmt::format("input value {} is illegal", value.dump()));
  const auto parsed = ParseVersion(value.get<std::string>());
  if (!parsed) return tl::unexpected(parsed.error());
  version = parsed->Text();
  return {};
}

template <class S>
Result<void> ReadKnown(const Json& json, S& section) {
  const auto unknown = JsonReader::Read(json, section);
  if (!unknown) return tl::unexpected(unknown.error());
  return {};
}

/// The schedule section as shown: with the derived bound in place of 0.
ScheduleConfig Shown(ScheduleConfig schedule) {
  schedule.max_merge_region_keys = schedule.MergeRegionKeys();
  return schedule;
}

/// A visitor needs a section around the map.
struct LabelPropertySection {
  LabelPropertyConfig& map;
};
[[maybe_unused]] const char* SectionTypeName(const LabelPropertySection&) {
  return "LabelPropertyConfig";
}
template <class V>
void VisitFields(V& v, LabelPropertySection& c) {
  v.Field("label-property", c.map);
}

}  // namespace

OnlineConfig MakeOnlineConfig(const Config& config) {
  OnlineConfig online;
  online.schedule = config.schedule;
  online.replication = config.replication;
  online.pd_server = config.pd_server;
  online.replication_mode = config.replication_mode;
  online.label_property = config.label_property;
  online.keyspace = config.keyspace;
  online.micro_service = config.micro_service;
  online.controller = config.controller;
  online.cluster_version = config.cluster_version;
  return online;
}

std::string OnlineConfigToJson(const OnlineConfig& online) {
  return DumpCompact(JsonWriter::Write(online));
}

Result<void> ReadOnlineConfig(std::string_view json, OnlineConfig& online) {
  const auto parsed = ParseJson(json);
  if (!parsed || !parsed->is_object())
    return Fail(ErrorCode::kCorrupt, "the stored configuration is no JSON object");
  OnlineConfig fresh = online;
  if (auto read = ReadKnown(*parsed, fresh); !read)
    return Fail(ErrorCode::kCorrupt, read.error().context);
  online = std::move(fresh);
  return {};
}

std::string SectionToJson(const OnlineConfig& online, ConfigSection section) {
  switch (section) {
    case ConfigSection::kSchedule:
      return DumpCompact(JsonWriter::Write(Shown(online.schedule)));
    case ConfigSection::kReplication:
      return DumpCompact(JsonWriter::Write(online.replication));
    case ConfigSection::kPdServer:
      return DumpCompact(JsonWriter::Write(online.pd_server));
    case ConfigSection::kReplicationMode:
      return DumpCompact(JsonWriter::Write(online.replication_mode));
    case ConfigSection::kLabelProperty:
      return DumpCompact(JsonWriter::Write(online)["label-property"]);
    case ConfigSection::kKeyspace:
      return DumpCompact(JsonWriter::Write(online.keyspace));
    case ConfigSection::kMicroService:
      return DumpCompact(JsonWriter::Write(online.micro_service));
    case ConfigSection::kController:
      return DumpCompact(JsonWriter::Write(online.controller));
  }
  return "null";
}

Result<void> ReadSection(std::string_view json, ConfigSection section, OnlineConfig& online) {
  const auto parsed = ParseJson(json);
  if (!parsed) return tl::unexpected(parsed.error());
  if (!parsed->is_object())
    return Refuse("json: cannot unmarshal " + std::string(parsed->type_name()));
  switch (section) {
    case ConfigSection::kSchedule:
      return ReadKnown(*parsed, online.schedule);
    case ConfigSection::kReplication:
      return ReadKnown(*parsed, online.replication);
    case ConfigSection::kPdServer:
      return ReadKnown(*parsed, online.pd_server);
    case ConfigSection::kReplicationMode:
      return ReadKnown(*parsed, online.replication_mode);
    case ConfigSection::kLabelProperty: {
      LabelPropertySection around{online.label_property};
      return ReadKnown(Json{{"label-property", *parsed}}, around);
    }
    case ConfigSection::kKeyspace:
      return ReadKnown(*parsed, online.keyspace);
    case ConfigSection::kMicroService:
      return ReadKnown(*parsed, online.micro_service);
    case ConfigSection::kController:
      return ReadKnown(*parsed, online.controller);
  }
  return {};
}

Result<void> ValidateOnlineConfig(const OnlineConfig& online) {
  const Result<void> checks[] = {Validate(online.schedule), Validate(online.replication),
                                 Validate(online.pd_server), Validate(online.replication_mode),
                                 Validate(online.keyspace)};
  for (const Result<void>& check : checks) {
    if (!check) return check;
  }
  if (const auto version = ParseVersion(online.cluster_version); !version) {
    return tl::unexpected(version.error());
  }
  return {};
}

Result<void> SetConfigItem(std::string_view key, std::string_view json, OnlineConfig& online) {
  const auto value = ParseJson(json);
  if (!value) return tl::unexpected(value.error());
  std::string full(key);
  if (key.find('.') == std::string_view::npos) {
    auto found = FindItem(key);
    if (!found) return tl::unexpected(found.error());
    full = std::move(*found);
  }
  const std::vector<std::string> parts = SplitDots(full);
  const std::string& section = parts.front();
  if (section == "schedule") return SetScheduleItem(parts, *value, online.schedule);
  if (section == "replication") return SetLast(parts, *value, online.replication);
  if (section == "pd-server") return SetLast(parts, *value, online.pd_server);
  if (section == "replication-mode")
    return SetReplicationMode(parts, *value, online.replication_mode);
  if (section == "cluster-version") return SetClusterVersion(*value, online.cluster_version);
  if (section == "keyspace") return SetLast(parts, *value, online.keyspace);
  if (section == "controller") return SetController(parts, *value, online.controller);
  if (section == "micro-service") {
    if (parts.back() == "enable-resource-manager-fallback") {
      return Refuse("cannot update config item enable-resource-manager-fallback dynamically");
    }
    return SetLast(parts, *value, online.micro_service);
  }
  return Refuse(fmt::format("config prefix {} not found", section));
}

ConfigStore::ConfigStore(Config config, Persist persist)
    : config_(std::move(config)),
      persist_(std::move(persist)),
      lasting_(std::make_shared<const OnlineConfig>(MakeOnlineConfig(config_))),
      online_(lasting_) {}

ConfigStore::Snapshot ConfigStore::online() const {
  const MutexLock lock(mutex_);
  return online_;
}

ConfigStore::Snapshot ConfigStore::lasting() const {
  const MutexLock lock(mutex_);
  return lasting_;
}

Config ConfigStore::Effective() const {
  Config config = config_;
  const Snapshot now = lasting();
  config.schedule = Shown(now->schedule);
  config.replication = now->replication;
  config.pd_server = now->pd_server;
  config.replication_mode = now->replication_mode;
  config.label_property = now->label_property;
  config.keyspace = now->keyspace;
  config.micro_service = now->micro_service;
  config.cluster_version = now->cluster_version;
  std::string level(LogLevelName(GetLogLevel()));
  for (char& c : level) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  config.log.level = level;
  return config;
}

Result<void> ConfigStore::Update(const Change& change) {
  {
    const MutexLock lock(mutex_);
    while (updating_) updated_.Wait(mutex_);
    updating_ = true;
  }
  auto done = UpdateAlone(change);
  const MutexLock lock(mutex_);
  updating_ = false;
  updated_.NotifyOne();
  return done;
}

Result<void> ConfigStore::UpdateAlone(const Change& change) {
  const Snapshot before = lasting();
  OnlineConfig after = *before;
  if (auto changed = change(after); !changed) return changed;
  if (auto valid = ValidateOnlineConfig(after); !valid) return valid;
  if (!unsure_ && OnlineConfigToJson(after) == OnlineConfigToJson(*before)) return {};
  for (const Check& check : checks_) {
    if (auto allowed = check(*before, after); !allowed) return allowed;
  }
  unsure_ = true;
  if (auto persisted = persist_(after); !persisted) return persisted;
  unsure_ = false;
  Show(std::make_shared<const OnlineConfig>(std::move(after)));
  return {};
}

Result<void> ConfigStore::SetItem(std::string_view key, std::string_view json) {
  const bool is_log = key == "level" || key == "log" || key.starts_with("log.");
  if (!is_log) {
    const auto full = key.find('.') == std::string_view::npos ? FindItem(key) : std::string(key);
    if (full && IsTemporaryNow(*full)) return Refuse(TemporaryText(*full));
    return Update([&](OnlineConfig& online) { return SetConfigItem(key, json, online); });
  }
  if (key != "level" && key != "log.level") return Refuse("only support changing log level");
  const auto value = ParseJson(json);
  if (!value) return tl::unexpected(value.error());
  if (!value->is_string()) return Refuse(fmt::format("input value {} is illegal", value->dump()));
  const auto level = ParseLogLevel(value->get<std::string>());
  if (!level) return tl::unexpected(level.error());
  SetLogLevel(*level);
  return {};
}

Result<void> ConfigStore::OnReplicated(std::string_view json) {
  OnlineConfig next = MakeOnlineConfig(config_);
  if (!json.empty()) {
    if (auto read = ReadOnlineConfig(json, next); !read) return read;
  }
  Show(std::make_shared<const OnlineConfig>(std::move(next)));
  return {};
}

bool IsTemporaryItem(std::string_view key) {
  static constexpr std::string_view kItems[] = {"max-snapshot-count",
                                                "max-merge-region-size",
                                                "max-pending-peer-count",
                                                "max-merge-region-keys",
                                                "leader-schedule-limit",
                                                "region-schedule-limit",
                                                "replica-schedule-limit",
                                                "merge-schedule-limit",
                                                "hot-region-schedule-limit",
                                                "split-scatter-schedule-limit",
                                                "scheduler-max-waiting-operator",
                                                "enable-location-replacement",
                                                "enable-tikv-split-region"};
  constexpr std::string_view kSection = "schedule.";
  if (!key.starts_with(kSection)) return false;
  key.remove_prefix(kSection.size());
  return std::find(std::begin(kItems), std::end(kItems), key) != std::end(kItems);
}

Result<void> ConfigStore::CheckTemporary(std::string_view key, std::string_view json) const {
  if (!IsTemporaryItem(key)) return Refuse(fmt::format("unsupported ttl config {}", key));
  OnlineConfig trial = *lasting();
  return SetConfigItem(key, json, trial);
}

void ConfigStore::OnTemporary(const std::string& key, const std::optional<std::string>& json) {
  {
    const MutexLock lock(mutex_);
    if (json) {
      temporary_[key] = *json;
    } else {
      temporary_.erase(key);
    }
  }
  Show(nullptr);
}

void ConfigStore::ResetTemporary(std::map<std::string, std::string> items) {
  {
    const MutexLock lock(mutex_);
    temporary_ = std::move(items);
  }
  Show(nullptr);
}

Result<void> ConfigStore::CheckScheduleItems(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    const std::string item = "schedule." + name;
    if (IsTemporaryNow(item)) return Fail(ErrorCode::kConflict, TemporaryText(item));
  }
  for (const std::string& name : names) {
    if (auto there = CheckStillThere(name); !there) return there;
  }
  return {};
}

bool ConfigStore::IsTemporaryNow(const std::string& key) const {
  const MutexLock lock(mutex_);
  return temporary_.contains(key);
}

void ConfigStore::Show(Snapshot next) {
  Snapshot shown;
  {
    const MutexLock lock(mutex_);
    if (next != nullptr) lasting_ = std::move(next);
    OnlineConfig merged = *lasting_;
    // What cannot be read is left out: it was checked when it was written.
    for (const auto& [key, json] : temporary_) static_cast<void>(SetConfigItem(key, json, merged));
    online_ =
        temporary_.empty() ? lasting_ : std::make_shared<const OnlineConfig>(std::move(merged));
    shown = online_;
  }
  for (const Observer& observer : observers_) observer(shown);
}

}  // namespace pd

#include "api/http/store_json.h"

#include <ctime>

#include <fmt/format.h>

#include "pd/cluster/store_scores.h"
#include "pd/config/values.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::Store;

constexpr int64_t kNsPerS = 1'000'000'000;
constexpr int64_t kDisconnectedNs = 20 * kNsPerS;

void SetIf(Json& json, const char* name, const std::string& value) {
  if (!value.empty()) json[name] = value;
}

template <class Number>
void SetIfNot0(Json& json, const char* name, Number value) {
  if (value != Number{}) json[name] = value;
}

Json MetaJson(const Store& store, const std::string& state_name) {
  Json json = Json::object();
  SetIfNot0(json, "id", store.id.value);
  SetIf(json, "address", store.address);
  SetIfNot0(json, "state", static_cast<int>(store.state));
  for (const scheduler::StoreLabel& label : store.labels) {
    Json entry = Json::object();
    SetIf(entry, "key", label.key);
    SetIf(entry, "value", label.value);
    json["labels"].push_back(std::move(entry));
  }
  SetIf(json, "version", store.version);
  SetIf(json, "peer_address", store.peer_address);
  SetIf(json, "status_address", store.status_address);
  SetIf(json, "git_hash", store.git_hash);
  SetIfNot0(json, "start_timestamp", store.start_timestamp_s);
  SetIf(json, "deploy_path", store.deploy_path);
  SetIfNot0(json, "last_heartbeat", store.last_heartbeat_unix_ns);
  SetIfNot0(json, "physically_destroyed", store.physically_destroyed);
  SetIfNot0(json, "node_state", static_cast<int>(store.node_state));
  json["state_name"] = state_name;
  return json;
}

void AddCounts(const Store& store, const pd::OnlineConfig& config, Json& json) {
  const scheduler::StoreCounts& counts = store.counts;
  const pd::StoreScores scores = pd::ScoresOf(store, config.schedule);
  json["leader_count"] = counts.leaders;
  json["leader_weight"] = store.leader_weight;
  json["leader_score"] = scores.leader;
  json["leader_size"] = counts.leader_size_mib;
  json["region_count"] = counts.regions();
  json["region_weight"] = store.region_weight;
  json["region_score"] = scores.region;
  json["region_size"] = counts.region_size_mib();
  SetIfNot0(json, "learner_count", counts.learners);
  SetIfNot0(json, "witness_count", counts.witnesses);
  SetIfNot0(json, "pending_peer_count", counts.pending);
}

void AddSlowness(const scheduler::StoreStats& stats, Json& json) {
  SetIfNot0(json, "slow_score", stats.slow_score);
  for (const auto& [id, score] : stats.network_slow_scores) {
    json["network_slow_score"][fmt::to_string(id)] = score;
  }
  if (!stats.has_slow_trend) return;
  json["slow_trend"] = {{"cause_value", stats.slow_trend_cause_value},
                        {"cause_rate", stats.slow_trend_cause_rate},
                        {"result_value", stats.slow_trend_result_value},
                        {"result_rate", stats.slow_trend_result_rate}};
}

Json StatusJson(const Store& store, const pd::OnlineConfig& config) {
  const scheduler::StoreStats& stats = store.stats;
  Json json = Json::object();
  json["capacity"] = pd::FormatByteSize({stats.capacity_bytes});
  json["available"] = pd::FormatByteSize({stats.available_bytes});
  json["used_size"] = pd::FormatByteSize({stats.used_bytes});
  AddCounts(store, config, json);
  AddSlowness(stats, json);
  SetIfNot0(json, "sending_snap_count", stats.sending_snapshots);
  SetIfNot0(json, "receiving_snap_count", stats.receiving_snapshots);
  SetIfNot0(json, "is_busy", stats.busy);
  json["start_ts"] = TimeText(store.start_timestamp_s * kNsPerS);
  json["last_heartbeat_ts"] = TimeText(store.last_heartbeat_unix_ns);
  const int64_t uptime_ns = store.last_heartbeat_unix_ns - store.start_timestamp_s * kNsPerS;
  if (uptime_ns > 0) json["uptime"] = pd::FormatDuration(pd::Nanos(uptime_ns));
  SetIfNot0(json, "pause_leader_transfer_in", store.pauses.leader_transfer_in > 0);
  SetIfNot0(json, "pause_leader_transfer_out", store.pauses.leader_transfer_out > 0);
  return json;
}

}  // namespace

std::string StateName(const Store& store, int64_t now_unix_ns, pd::Nanos max_down_time) {
  if (store.state == scheduler::StoreState::kOffline) return "Offline";
  if (store.state == scheduler::StoreState::kTombstone) return "Tombstone";
  const int64_t silent_ns = now_unix_ns - store.last_heartbeat_unix_ns;
  if (silent_ns > max_down_time.count()) return "Down";
  return silent_ns > kDisconnectedNs ? "Disconnected" : "Up";
}

std::string TimeText(int64_t unix_ns) {
  int64_t fraction = unix_ns % kNsPerS;
  if (fraction < 0) fraction += kNsPerS;
  const std::time_t seconds = (unix_ns - fraction) / kNsPerS;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction != 0) {
    std::string digits = fmt::format("{:09}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += '.' + digits;
  }
  const long offset_min = parts.tm_gmtoff / 60;
  if (offset_min == 0) return text + 'Z';
  const long absolute = offset_min < 0 ? -offset_min : offset_min;
  return text +
         fmt::format("{}{:02}:{:02}", offset_min < 0 ? '-' : '+', absolute / 60, absolute % 60);
}

Json StoreJson(const Store& store, const pd::OnlineConfig& config, int64_t now_unix_ns) {
  Json json = Json::object();
  json["store"] =
      MetaJson(store, StateName(store, now_unix_ns, config.schedule.max_store_down_time));
  json["status"] = StatusJson(store, config);
  return json;
}

Json StoresJson(const std::vector<Store>& stores, const pd::OnlineConfig& config,
                int64_t now_unix_ns) {
  Json list = Json::array();
  for (const Store& store : stores) list.push_back(StoreJson(store, config, now_unix_ns));
  Json json = Json::object();
  json["count"] = stores.size();
  json["stores"] = std::move(list);
  return json;
}

}  // namespace api

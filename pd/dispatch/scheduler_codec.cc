#include "pd/dispatch/scheduler_codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "pd/dispatch/hot_region_codec.h"
#include "pd/dispatch/range_job_codec.h"
#include "pd/log/log.h"
#include "scheduler/model/hex.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::KeyRange;

Json StoresToJson(const scheduler::StoreRanges& stores) {
  std::map<std::string, Json> by_text;  // Keys of maps are written in the order of their text.
  for (const auto& [store, ranges] : stores) {
    by_text[std::to_string(store.value)] = KeyRangesToJson(ranges);
  }
  Json json = Json::object();
  for (auto& [text, ranges] : by_text) json[text] = std::move(ranges);
  return json;
}

Result<scheduler::StoreRanges> StoresFromJson(const Json& json) {
  scheduler::StoreRanges stores;
  if (!json.is_object()) return stores;
  for (const auto& [text, ranges] : json.items()) {
    uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Fail(ErrorCode::kCorrupt, "no store id: " + text);
    }
    auto read = KeyRangesFromJson(ranges);
    if (!read) return tl::unexpected(read.error());
    stores[scheduler::StoreId{id}] = *std::move(read);
  }
  return stores;
}

using scheduler::StoreId;

Json StoreListToJson(const std::vector<StoreId>& stores) {
  Json list = Json::array();
  for (const StoreId store : stores) list.push_back(store.value);
  return list;
}

/// A member that is no list of numbers leaves `stores` as they are.
void ReadStoreList(const Json& json, const char* key, std::vector<StoreId>& stores) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return;
  stores.clear();
  for (const Json& id : *found) {
    if (id.is_number_unsigned()) stores.push_back({id.get<uint64_t>()});
  }
}

constexpr std::array<std::pair<scheduler::ShuffleRole, const char*>, 3> kRoles = {{
    {scheduler::ShuffleRole::kLeader, "leader"},
    {scheduler::ShuffleRole::kFollower, "follower"},
    {scheduler::ShuffleRole::kLearner, "learner"},
}};

Json NamedRanges(const char* name, const std::vector<KeyRange>& ranges) {
  return {{"name", name}, {"ranges", KeyRangesToJson(ranges)}};
}

struct Writer {
  bool disabled;

  Json operator()(const scheduler::BalanceLeaderConfig& config) const {
    return {{"ranges", KeyRangesToJson(config.ranges)}, {"batch", config.batch}};
  }
  Json operator()(const scheduler::BalanceRegionConfig& config) const {
    return NamedRanges("balance-region-scheduler", config.ranges);
  }
  Json operator()(const scheduler::HotRegionConfig& config) const {
    return HotRegionConfigToJson(config);
  }
  Json operator()(const scheduler::EvictLeaderConfig& config) const {
    return {{"store-id-ranges", StoresToJson(config.stores)}, {"batch", config.batch}};
  }
  Json operator()(const scheduler::GrantLeaderConfig& config) const {
    return {{"store-id-ranges", StoresToJson(config.stores)}};
  }
  Json operator()(const scheduler::EvictStoppingStoreConfig& config) const {
    return {{"disabled", disabled},
            {"evicted-stores", StoreListToJson(config.evicted)},
            {"batch", config.batch}};
  }
  Json operator()(const scheduler::EvictSlowStoreConfig& config) const {
    return {{"disabled", disabled},
            {"recovery-duration", config.recovery_duration_s},
            {"evict-stores", StoreListToJson(config.evicted)},
            {"enable-network-slow-store", config.network_slow_store},
            {"paused-network-slow-stores", StoreListToJson(config.network_paused)},
            {"evicted-network-slow-stores", StoreListToJson(config.network_evicted)},
            {"batch", config.batch}};
  }
  Json operator()(const scheduler::EvictSlowTrendConfig& config) const {
    return {{"recovery-duration", config.recovery_duration_s},
            // Null as long as there is none (as in the reference).
            {"evict-by-trend-stores",
             config.evicted.empty() ? Json(nullptr) : StoreListToJson(config.evicted)}};
  }
  Json operator()(const scheduler::ShuffleLeaderConfig& config) const {
    return NamedRanges("shuffle-leader-scheduler", config.ranges);
  }
  Json operator()(const scheduler::ShuffleRegionConfig& config) const {
    return {{"ranges", KeyRangesToJson(config.ranges)}, {"roles", RolesToJson(config.roles)}};
  }
  Json operator()(const scheduler::LabelConfig& config) const {
    return NamedRanges("label-scheduler", config.ranges);
  }
  Json operator()(const scheduler::RandomMergeConfig& config) const {
    return NamedRanges("random-merge-scheduler", config.ranges);
  }
  Json operator()(const scheduler::BalanceWitnessConfig& config) const {
    return {{"ranges", KeyRangesToJson(config.ranges)}, {"batch", config.batch}};
  }
  Json operator()(const scheduler::TransferWitnessLeaderConfig&) const { return Json::object(); }
  Json operator()(const scheduler::ScatterRangeConfig& config) const {
    return {{"range-name", config.range_name},
            {"start-key", config.range.start},
            {"end-key", config.range.end}};
  }
  Json operator()(const scheduler::BalanceRangeConfig& config) const {
    Json list = Json::array();
    for (const scheduler::RangeJob& job : config.jobs) list.push_back(RangeJobToJson(job));
    return list;
  }
  Json operator()(const scheduler::GrantHotRegionConfig& config) const {
    return {{"store-id", StoreListToJson(config.stores)},
            {"store-leader-id", config.leader_store.value}};
  }
  Json operator()(const scheduler::ShuffleHotRegionConfig& config) const {
    return {{"limit", config.limit}};
  }
};

/// Notes the first thing that cannot be read, and must not be guessed, in `done`.
struct Reader {
  const Json& json;
  Result<void>& done;

  void operator()(scheduler::BalanceLeaderConfig& config) const {
    ReadRanges(config.ranges);
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::BalanceRegionConfig& config) const { ReadRanges(config.ranges); }
  void operator()(scheduler::HotRegionConfig& config) const {
    ReadStoredHotRegionConfig(json, config);
  }
  void operator()(scheduler::EvictLeaderConfig& config) const {
    ReadStores(config.stores);
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::GrantLeaderConfig& config) const { ReadStores(config.stores); }
  void operator()(scheduler::EvictStoppingStoreConfig& config) const {
    config.batch = json.value("batch", config.batch);
    ReadStoreList(json, "evicted-stores", config.evicted);
  }
  void operator()(scheduler::EvictSlowStoreConfig& config) const {
    config.recovery_duration_s = json.value("recovery-duration", config.recovery_duration_s);
    config.network_slow_store = json.value("enable-network-slow-store", config.network_slow_store);
    config.batch = json.value("batch", config.batch);
    ReadStoreList(json, "evict-stores", config.evicted);
    ReadStoreList(json, "paused-network-slow-stores", config.network_paused);
    ReadStoreList(json, "evicted-network-slow-stores", config.network_evicted);
  }
  void operator()(scheduler::EvictSlowTrendConfig& config) const {
    config.recovery_duration_s = json.value("recovery-duration", config.recovery_duration_s);
    ReadStoreList(json, "evict-by-trend-stores", config.evicted);
  }
  void operator()(scheduler::ShuffleLeaderConfig& config) const { ReadRanges(config.ranges); }
  void operator()(scheduler::ShuffleRegionConfig& config) const {
    ReadRanges(config.ranges);
    if (!json.contains("roles")) return;
    if (auto roles = RolesFromJson(json["roles"])) config.roles = *std::move(roles);
  }
  void operator()(scheduler::LabelConfig& config) const { ReadRanges(config.ranges); }
  void operator()(scheduler::RandomMergeConfig& config) const { ReadRanges(config.ranges); }
  void operator()(scheduler::BalanceWitnessConfig& config) const {
    ReadRanges(config.ranges);
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::TransferWitnessLeaderConfig&) const {}
  void operator()(scheduler::ScatterRangeConfig& config) const {
    config.range_name = json.value("range-name", config.range_name);
    config.range = {Key("start-key"), Key("end-key")};
  }
  void operator()(scheduler::BalanceRangeConfig& config) const {
    for (const Json& item : json) {
      if (auto job = RangeJobFromJson(item)) {
        config.jobs.push_back(*std::move(job));
      } else {
        LogWarn("a job of balance-range cannot be read and is dropped", {{"error", job.error()}});
      }
    }
  }
  void operator()(scheduler::GrantHotRegionConfig& config) const {
    config.leader_store = {json.value("store-leader-id", config.leader_store.value)};
    ReadStoreList(json, "store-id", config.stores);
  }
  void operator()(scheduler::ShuffleHotRegionConfig& config) const {
    config.limit = json.value("limit", config.limit);
  }

 private:
  void ReadRanges(std::vector<KeyRange>& ranges) const {
    if (json.contains("ranges")) Take(KeyRangesFromJson(json["ranges"]), ranges);
  }
  void ReadStores(scheduler::StoreRanges& stores) const {
    if (json.contains("store-id-ranges")) Take(StoresFromJson(json["store-id-ranges"]), stores);
  }
  template <class T>
  void Take(Result<T> read, T& out) const {
    if (read) {
      out = *std::move(read);
    } else if (done) {
      done = tl::unexpected(read.error());
    }
  }
  /// As it was, if our own writing is there.
  [[nodiscard]] std::string Key(const std::string& name) const {
    const auto ours = json.find(name + "-hex");
    if (ours == json.end()) return json.value(name, "");
    std::string key;
    auto exact = scheduler::FromHex(ours->get<std::string>());
    if (exact) return *std::move(exact);
    Take<std::string>(Fail(ErrorCode::kCorrupt, "no key: " + ours->dump()), key);
    return key;
  }
};

}  // namespace

nlohmann::ordered_json RolesToJson(const std::vector<scheduler::ShuffleRole>& roles) {
  Json list = Json::array();
  for (const scheduler::ShuffleRole role : roles) {
    list.push_back(
        std::ranges::find(kRoles, role, [](const auto& pair) { return pair.first; })->second);
  }
  return list;
}

Result<std::vector<scheduler::ShuffleRole>> RolesFromJson(const nlohmann::ordered_json& list) {
  std::vector<scheduler::ShuffleRole> roles;
  for (const Json& text : list) {
    const std::string name = text.is_string() ? text.get<std::string>() : text.dump();
    const auto role = std::ranges::find(kRoles, name, [](const auto& pair) { return pair.second; });
    if (role == kRoles.end()) {
      return Fail(ErrorCode::kInvalidArgument, "invalid role:" + name);
    }
    roles.push_back(role->first);
  }
  return roles;
}

nlohmann::ordered_json SchedulerConfigToJson(const scheduler::SchedulerConfig& config,
                                             bool disabled) {
  if (const auto* shuffle = std::get_if<scheduler::ShuffleRegionConfig>(&config)) {
    return RolesToJson(shuffle->roles);
  }
  return std::visit(Writer{disabled}, config);
}

std::string StoredSchedulerText(const scheduler::SchedulerConfig& config, bool disabled) {
  Json json = std::visit(Writer{disabled}, config);
  if (const auto* scatter = std::get_if<scheduler::ScatterRangeConfig>(&config)) {
    // Text is UTF-8 in JSON, keys are any bytes.
    json["start-key-hex"] = scheduler::LowerHex(scatter->range.start);
    json["end-key-hex"] = scheduler::LowerHex(scatter->range.end);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<StoredScheduler> SchedulerConfigFromJson(const scheduler::SchedulerType& type,
                                                std::string_view json) {
  StoredScheduler stored{DefaultSchedulerConfig(type), false};
  const bool list = std::holds_alternative<scheduler::BalanceRangeConfig>(stored.config);
  try {
    const Json parsed = Json::parse(json);
    if (list ? !parsed.is_array() : !parsed.is_object()) {
      return Fail(ErrorCode::kCorrupt, "scheduler config is of the wrong kind");
    }
    if (!list) stored.disabled = parsed.value("disabled", false);
    Result<void> done;
    std::visit(Reader{parsed, done}, stored.config);
    if (!done) return tl::unexpected(done.error());
  } catch (const Json::exception& error) {
    return Fail(ErrorCode::kCorrupt, error.what());
  }
  return stored;
}

}  // namespace pd

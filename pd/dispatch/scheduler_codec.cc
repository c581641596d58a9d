#include "pd/dispatch/scheduler_codec.h"

#include <map>
#include <vector>

#include "pd/dispatch/hot_region_codec.h"
#include "scheduler/model/hex.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::KeyRange;

Json RangesToJson(const std::vector<KeyRange>& ranges) {
  Json list = Json::array();
  for (const KeyRange& range : ranges) {
    list.push_back({{"start-key", scheduler::LowerHex(range.start)},
                    {"end-key", scheduler::LowerHex(range.end)}});
  }
  return list;
}

std::vector<KeyRange> RangesFromJson(const Json& list) {
  std::vector<KeyRange> ranges;
  if (!list.is_array()) return ranges;
  for (const Json& item : list) {
    const auto key = [&](const char* name) {
      return scheduler::FromHex(item.value(name, "")).value_or("");
    };
    ranges.push_back({key("start-key"), key("end-key")});
  }
  return ranges;
}

Json StoresToJson(const scheduler::StoreRanges& stores) {
  std::map<std::string, Json> by_text;  // Keys of maps are written in the order of their text.
  for (const auto& [store, ranges] : stores) {
    by_text[std::to_string(store.value)] = RangesToJson(ranges);
  }
  Json json = Json::object();
  for (auto& [text, ranges] : by_text) json[text] = std::move(ranges);
  return json;
}

scheduler::StoreRanges StoresFromJson(const Json& json) {
  scheduler::StoreRanges stores;
  if (!json.is_object()) return stores;
  for (const auto& [text, ranges] : json.items()) {
    stores[scheduler::StoreId{std::strtoull(text.c_str(), nullptr, 10)}] = RangesFromJson(ranges);
  }
  return stores;
}

struct Writer {
  bool disabled;

  Json operator()(const scheduler::BalanceLeaderConfig& config) const {
    return {{"ranges", RangesToJson(config.ranges)}, {"batch", config.batch}};
  }
  Json operator()(const scheduler::BalanceRegionConfig& config) const {
    return {{"name", "balance-region-scheduler"}, {"ranges", RangesToJson(config.ranges)}};
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
    return {{"disabled", disabled}, {"evicted-stores", Json::array()}, {"batch", config.batch}};
  }
  Json operator()(const scheduler::EvictSlowStoreConfig& config) const {
    return {{"disabled", disabled},
            {"recovery-duration", config.recovery_duration_s},
            {"evict-stores", Json::array()},
            {"enable-network-slow-store", config.network_slow_store},
            {"paused-network-slow-stores", Json::array()},
            {"evicted-network-slow-stores", Json::array()},
            {"batch", config.batch}};
  }
};

struct Reader {
  const Json& json;

  void operator()(scheduler::BalanceLeaderConfig& config) const {
    if (json.contains("ranges")) config.ranges = RangesFromJson(json["ranges"]);
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::BalanceRegionConfig& config) const {
    if (json.contains("ranges")) config.ranges = RangesFromJson(json["ranges"]);
  }
  void operator()(scheduler::HotRegionConfig& config) const {
    // What was stored once was checked then; a setting that cannot be read keeps its default.
    scheduler::HotRegionConfig stored = config;
    if (ReadHotRegionConfig(json, stored)) config = stored;
  }
  void operator()(scheduler::EvictLeaderConfig& config) const {
    if (json.contains("store-id-ranges")) config.stores = StoresFromJson(json["store-id-ranges"]);
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::GrantLeaderConfig& config) const {
    if (json.contains("store-id-ranges")) config.stores = StoresFromJson(json["store-id-ranges"]);
  }
  void operator()(scheduler::EvictStoppingStoreConfig& config) const {
    config.batch = json.value("batch", config.batch);
  }
  void operator()(scheduler::EvictSlowStoreConfig& config) const {
    config.recovery_duration_s = json.value("recovery-duration", config.recovery_duration_s);
    config.network_slow_store = json.value("enable-network-slow-store", config.network_slow_store);
    config.batch = json.value("batch", config.batch);
  }
};

}  // namespace

nlohmann::ordered_json SchedulerConfigToJson(const scheduler::SchedulerConfig& config,
                                             bool disabled) {
  return std::visit(Writer{disabled}, config);
}

Result<StoredScheduler> SchedulerConfigFromJson(const scheduler::SchedulerType& type,
                                                std::string_view json) {
  StoredScheduler stored{DefaultSchedulerConfig(type), false};
  try {
    const Json parsed = Json::parse(json);
    if (!parsed.is_object()) return Fail(ErrorCode::kCorrupt, "scheduler config is no object");
    stored.disabled = parsed.value("disabled", false);
    std::visit(Reader{parsed}, stored.config);
  } catch (const Json::exception& error) {
    return Fail(ErrorCode::kCorrupt, error.what());
  }
  return stored;
}

}  // namespace pd

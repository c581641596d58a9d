#include "pd/dispatch/hot_region_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "pd/config/values.h"
#include "pd/log/log.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::HotRegionConfig;

/// Calls visit(name, member) for each setting, in the order in which they are written.
template <class Config, class Visit>
void VisitSettings(Config& config, Visit visit) {
  visit("min-hot-byte-rate", config.min_hot_byte_rate);
  visit("min-hot-key-rate", config.min_hot_key_rate);
  visit("min-hot-query-rate", config.min_hot_query_rate);
  visit("min-hot-cpu-rate", config.min_hot_cpu_rate);
  visit("max-zombie-rounds", config.max_zombie_rounds);
  visit("pending-weight", config.pending_weight);
  visit("max-peer-number", config.max_peer_number);
  visit("byte-rate-rank-step-ratio", config.byte_rate_rank_step_ratio);
  visit("key-rate-rank-step-ratio", config.key_rate_rank_step_ratio);
  visit("query-rate-rank-step-ratio", config.query_rate_rank_step_ratio);
  visit("cpu-rate-rank-step-ratio", config.cpu_rate_rank_step_ratio);
  visit("count-rank-step-ratio", config.count_rank_step_ratio);
  visit("great-dec-ratio", config.great_dec_ratio);
  visit("minor-dec-ratio", config.minor_dec_ratio);
  visit("src-tolerance-ratio", config.src_tolerance_ratio);
  visit("dst-tolerance-ratio", config.dst_tolerance_ratio);
  visit("write-leader-priorities", config.write_leader_priorities);
  visit("write-peer-priorities", config.write_peer_priorities);
  visit("read-priorities", config.read_priorities);
  visit("strict-picking-store", config.strict_picking_store);
  visit("enable-for-tiflash", config.enable_for_tiflash);
  visit("rank-formula-version", config.rank_formula_version);
  visit("forbid-rw-type", config.forbid_rw_type);
  visit("split-thresholds", config.split_thresholds);
  visit("history-sample-duration", config.history_sample_duration);
  visit("history-sample-interval", config.history_sample_interval);
}

Json ValueOf(double value) {
  constexpr double kWholeMax = 9007199254740992;  // 2^53: beyond, not all whole numbers are there.
  const bool whole = std::abs(value) <= kWholeMax && std::trunc(value) == value;
  return whole ? Json(static_cast<int64_t>(value)) : Json(value);
}
Json ValueOf(int64_t value) { return value; }
Json ValueOf(bool value) { return value ? "true" : "false"; }
Json ValueOf(const std::string& value) { return value; }
Json ValueOf(const std::vector<std::string>& value) { return value; }
Json ValueOf(scheduler::Millis value) { return FormatDuration(value); }

/// Reads one value; the error is the decoder's text.
struct Reader {
  const Json& json;

  Result<void> operator()(double& out) const {
    if (!json.is_number()) return WrongKind("float64");
    out = json.get<double>();
    return {};
  }
  Result<void> operator()(int64_t& out) const {
    const bool fits =
        json.is_number_unsigned() ? json.get<uint64_t>() <= INT64_MAX : json.is_number_integer();
    if (!fits) return WrongKind("int");
    out = json.get<int64_t>();
    return {};
  }
  Result<void> operator()(bool& out) const {
    if (json == "true" || json == "false") {
      out = json == "true";
      return {};
    }
    return Fail(
        ErrorCode::kCorrupt,
        fmt::format("json: invalid use of ,string struct tag, trying to unmarshal {} into bool",
                    json.dump()));
  }
  Result<void> operator()(std::string& out) const {
    if (!json.is_string()) return WrongKind("string");
    out = json.get<std::string>();
    return {};
  }
  Result<void> operator()(std::vector<std::string>& out) const {
    if (!json.is_array()) return WrongKind("[]string");
    std::vector<std::string> list;
    for (const Json& item : json) {
      if (!item.is_string()) return WrongKind("string");
      list.push_back(item.get<std::string>());
    }
    out = std::move(list);
    return {};
  }
  Result<void> operator()(scheduler::Millis& out) const {
    if (!json.is_string()) return WrongKind("string");
    const Result<Nanos> parsed = ParseDuration(json.get<std::string>());
    if (!parsed) return Fail(ErrorCode::kCorrupt, parsed.error().context);
    out = std::chrono::duration_cast<Millis>(*parsed);
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> WrongKind(const char* wanted) const {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("json: cannot unmarshal {} into Go value of type {}", json.type_name(),
                            wanted));
  }
};

tl::unexpected<Error> Wrong(const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("[PD:scheduler:ErrSchedulerConfig]wrong scheduler config {}", what));
}

Result<void> CheckPriorities(const std::vector<std::string>& priorities,
                             const std::set<std::string>& known) {
  if (priorities.size() < 2) return Wrong("priorities should have at least 2 dimensions");
  const bool all = std::ranges::all_of(
      priorities, [&](const std::string& priority) { return known.contains(priority); });
  if (!all) return Wrong("invalid scheduling dimensions");
  if (std::set(priorities.begin(), priorities.end()).size() != priorities.size()) {
    return Wrong("priorities shouldn't be repeated");
  }
  return {};
}

/// The reference takes negative numbers, and does nothing that makes sense with them. Of rates and ratios they are
/// harmless, and taken as there.
Result<void> CheckNumbers(const HotRegionConfig& config) {
  Result<void> checked;
  VisitSettings(config, [&](const char* name, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    bool fine = true;
    if constexpr (std::is_same_v<Value, int64_t>) fine = value >= 0;
    if constexpr (std::is_same_v<Value, scheduler::Millis>) fine = value >= Value{0};
    if (!fine && checked) checked = Wrong(fmt::format("invalid {}, should not be negative", name));
  });
  return checked;
}

Result<void> Check(const HotRegionConfig& config) {
  if (auto read = CheckPriorities(config.read_priorities, {"byte", "key", "query", "cpu"}); !read) {
    return read;
  }
  if (auto write = CheckPriorities(config.write_leader_priorities, {"byte", "key", "query"});
      !write) {
    return write;
  }
  if (auto write = CheckPriorities(config.write_peer_priorities, {"byte", "key"}); !write) {
    return write;
  }
  if (config.rank_formula_version != "v1" && config.rank_formula_version != "v2") {
    return Wrong("invalid rank-formula-version");
  }
  const std::string& forbid = config.forbid_rw_type;
  if (forbid != "none" && forbid != "read" && forbid != "write") {
    return Wrong("invalid forbid-rw-type");
  }
  if (config.split_thresholds < 0.01 || config.split_thresholds > 1) {
    return Wrong("invalid split-thresholds, should be in range [0.01, 1]");
  }
  return CheckNumbers(config);
}

}  // namespace

nlohmann::ordered_json HotRegionConfigToJson(const HotRegionConfig& config) {
  Json json = Json::object();
  VisitSettings(config, [&](const char* name, const auto& value) { json[name] = ValueOf(value); });
  if (config.forbid_rw_type == "none") json.erase("forbid-rw-type");
  return json;
}

Result<HotRegionChange> ReadHotRegionConfig(const nlohmann::ordered_json& json,
                                            HotRegionConfig& config) {
  const HotRegionConfig before = config;
  bool any = false;
  Result<void> read;
  VisitSettings(config, [&](const char* name, auto& value) {
    const auto it = json.find(name);
    if (it == json.end() || !read) return;
    any = true;
    read = Reader{*it}(value);
  });
  if (!read) return tl::unexpected(read.error());
  if (auto checked = Check(config); !checked) return tl::unexpected(checked.error());
  if (!any) return HotRegionChange::kNoneNamed;
  return config == before ? HotRegionChange::kSame : HotRegionChange::kChanged;
}

void ReadStoredHotRegionConfig(const nlohmann::ordered_json& json, HotRegionConfig& config) {
  VisitSettings(config, [&](const char* name, auto& value) {
    const auto it = json.find(name);
    if (it == json.end()) return;
    auto before = value;
    Result<void> read = Reader{*it}(value);
    if (read) read = Check(config);
    if (read) return;
    value = std::move(before);
    LogWarn("a stored setting of balance-hot-region makes no sense, its default holds",
            {{"setting", name}, {"value", it->dump()}, {"error", read.error()}});
  });
}

}  // namespace pd

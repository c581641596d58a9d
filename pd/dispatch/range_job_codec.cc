#include "pd/dispatch/range_job_codec.h"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "scheduler/model/hex.h"

namespace pd {
namespace {

using Json = nlohmann::ordered_json;
using scheduler::KeyRange;
using scheduler::RangeJob;

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kFractionDigits = 9;

/// The value whose text it is.
template <class Value>
std::optional<Value> ValueOf(std::string_view text, std::initializer_list<Value> all) {
  for (const Value value : all) {
    if (text == RangeJobText(value)) return value;
  }
  return {};
}

tl::unexpected<Error> Corrupt(const std::string& what) { return Fail(ErrorCode::kCorrupt, what); }

/// None if there is no such member.
Result<std::optional<int64_t>> TimeIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::optional<int64_t>();
  const auto time = found->is_string() ? TimeFromText(found->get_ref<const std::string&>())
                                       : std::optional<int64_t>();
  if (!time) return Corrupt(fmt::format("{} is no time: {}", key, found->dump()));
  return time;
}

std::string TextIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<scheduler::Millis> TimeoutIn(const Json& json) {
  const auto found = json.find("timeout");
  if (found == json.end()) return RangeJob{}.timeout;
  const bool whole = found->is_number_unsigned() &&
                     found->get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()};
  const auto timeout = std::chrono::duration_cast<scheduler::Millis>(
      std::chrono::nanoseconds(whole ? found->get<int64_t>() : 0));
  if (timeout <= scheduler::Millis{0}) {
    return Corrupt("timeout is no time to wait: " + found->dump());
  }
  return timeout;
}

/// Whole digits alone.
std::optional<int64_t> DigitsOf(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// "2026-11-23T15:58:53", in seconds.
std::optional<int64_t> SecondsOf(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() != kForm.size()) return {};
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0' && text[i] != kForm[i]) return {};
  }
  std::array<int64_t, 6> parts{};
  constexpr std::array<std::pair<size_t, size_t>, 6> kPlaces{
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto part = DigitsOf(text.substr(kPlaces[i].first, kPlaces[i].second));
    if (!part) return {};
    parts[i] = *part;
  }
  const auto [year, month, day, hour, minute, second] = parts;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return {};
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/// "Z" or "+08:00", in seconds.
std::optional<int64_t> OffsetOf(std::string_view zone) {
  if (zone == "Z") return 0;
  if (zone.size() != std::string_view("+00:00").size() || zone[3] != ':') return {};
  if (zone[0] != '+' && zone[0] != '-') return {};
  const auto hours = DigitsOf(zone.substr(1, 2));
  const auto minutes = DigitsOf(zone.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
  const int64_t seconds = (*hours * 60 + *minutes) * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

}  // namespace

Json KeyRangesToJson(const std::vector<KeyRange>& ranges) {
  Json list = Json::array();
  for (const KeyRange& range : ranges) {
    list.push_back({{"start-key", scheduler::LowerHex(range.start)},
                    {"end-key", scheduler::LowerHex(range.end)}});
  }
  return list;
}

Result<std::vector<KeyRange>> KeyRangesFromJson(const Json& list) {
  std::vector<KeyRange> ranges;
  if (list.is_null()) return ranges;
  if (!list.is_array()) return Corrupt("ranges are no list: " + list.dump());
  for (const Json& item : list) {
    const auto key = [&](const char* name) -> std::optional<std::string> {
      if (!item.is_object() || !item.contains(name) || !item[name].is_string()) return {};
      return scheduler::FromHex(item[name].get_ref<const std::string&>());
    };
    auto start = key("start-key");
    auto end = key("end-key");
    if (!start || !end || (!end->empty() && *start >= *end)) {
      return Corrupt("no range of keys: " + item.dump());
    }
    ranges.push_back({*std::move(start), *std::move(end)});
  }
  return ranges;
}

std::optional<scheduler::RangeJobRule> RangeJobRuleOf(std::string_view text) {
  using scheduler::RangeJobRule;
  return ValueOf(text, {RangeJobRule::kLeaderScatter, RangeJobRule::kPeerScatter,
                        RangeJobRule::kLearnerScatter});
}

std::optional<scheduler::RangeJobEngine> RangeJobEngineOf(std::string_view text) {
  using scheduler::RangeJobEngine;
  return ValueOf(text, {RangeJobEngine::kTiKV, RangeJobEngine::kTiFlash});
}

Json RangeJobToJson(const RangeJob& job) {
  Json json{{"job-id", job.id},
            {"rule", RangeJobText(job.rule)},
            {"engine", RangeJobText(job.engine)},
            {"timeout", std::chrono::nanoseconds(job.timeout).count()},
            {"ranges", KeyRangesToJson(job.ranges)},
            {"alias", job.alias}};
  if (job.start_unix_ns) json["start"] = TimeText(*job.start_unix_ns);
  if (job.finish_unix_ns) json["finish"] = TimeText(*job.finish_unix_ns);
  json["create"] = TimeText(job.create_unix_ns);
  json["status"] = RangeJobText(job.status);
  return json;
}

Result<RangeJob> RangeJobFromJson(const Json& json) {
  using scheduler::RangeJobStatus;
  if (!json.is_object()) return Corrupt("a job is no object: " + json.dump());
  RangeJob job;
  const auto id = json.find("job-id");
  if (id != json.end() && id->is_number_unsigned()) job.id = id->get<uint64_t>();
  const auto rule = RangeJobRuleOf(TextIn(json, "rule"));
  const auto engine = RangeJobEngineOf(TextIn(json, "engine"));
  if (!rule || !engine) return Corrupt("a job without a known rule and engine: " + json.dump());
  const auto timeout = TimeoutIn(json);
  if (!timeout) return tl::unexpected(timeout.error());
  auto ranges = KeyRangesFromJson(json.contains("ranges") ? json["ranges"] : Json());
  if (!ranges) return tl::unexpected(ranges.error());
  if (ranges->empty()) return Corrupt("a job without ranges: " + json.dump());
  for (const auto& [key, out] :
       {std::pair{"start", &job.start_unix_ns}, std::pair{"finish", &job.finish_unix_ns}}) {
    const auto time = TimeIn(json, key);
    if (!time) return tl::unexpected(time.error());
    *out = *time;
  }
  const auto create = TimeIn(json, "create");
  if (!create) return tl::unexpected(create.error());
  job.rule = *rule;
  job.engine = *engine;
  job.timeout = *timeout;
  job.ranges = *std::move(ranges);
  job.alias = TextIn(json, "alias");
  job.create_unix_ns = create->value_or(0);
  // What cannot be told to be over would run again.
  job.status =
      ValueOf(TextIn(json, "status"), {RangeJobStatus::kPending, RangeJobStatus::kRunning,
                                       RangeJobStatus::kFinished, RangeJobStatus::kCancelled})
          .value_or(RangeJobStatus::kCancelled);
  return job;
}

std::string TimeText(int64_t unix_ns) {
  int64_t nanos = unix_ns % kNsPerSecond;
  if (nanos < 0) nanos += kNsPerSecond;
  const std::time_t seconds = (unix_ns - nanos) / kNsPerSecond;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> buffer{};
  std::string text(buffer.data(),
                   std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &utc));
  if (nanos > 0) {
    text += fmt::format(".{:09}", nanos);
    while (text.back() == '0') text.pop_back();
  }
  return text + "Z";
}

std::optional<int64_t> TimeFromText(std::string_view text) {
  constexpr size_t kSecondsEnd = std::string_view("0000-00-00T00:00:00").size();
  const auto local = SecondsOf(text.substr(0, kSecondsEnd));
  if (!local) return {};
  std::string_view tail = text.substr(kSecondsEnd);
  int64_t nanos = 0;
  if (tail.starts_with('.')) {
    tail.remove_prefix(1);
    const size_t digits = tail.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > kFractionDigits) return {};
    std::from_chars(tail.data(), tail.data() + digits, nanos);
    for (size_t i = digits; i < kFractionDigits; ++i) nanos *= 10;
    tail.remove_prefix(digits);
  }
  const auto offset = OffsetOf(tail);
  if (!offset) return {};
  const int64_t seconds = *local - *offset;
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kNsPerSecond;
  if (seconds >= kSecondsMax || seconds <= -kSecondsMax) return {};
  return seconds * kNsPerSecond + nanos;
}

}  // namespace pd

#include "pd/dispatch/range_job_codec.h"

#include <array>
#include <charconv>
#include <ctime>

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

std::optional<int64_t> TimeIn(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return {};
  return TimeFromText(found->get_ref<const std::string&>());
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

std::vector<KeyRange> KeyRangesFromJson(const Json& list) {
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

RangeJob RangeJobFromJson(const Json& json) {
  using scheduler::RangeJobStatus;
  RangeJob job;
  job.id = json.value("job-id", job.id);
  job.rule = RangeJobRuleOf(json.value("rule", "")).value_or(job.rule);
  job.engine = RangeJobEngineOf(json.value("engine", "")).value_or(job.engine);
  const std::chrono::nanoseconds otherwise = job.timeout;
  job.timeout = std::chrono::duration_cast<scheduler::Millis>(
      std::chrono::nanoseconds(json.value("timeout", otherwise.count())));
  if (json.contains("ranges")) job.ranges = KeyRangesFromJson(json["ranges"]);
  job.alias = json.value("alias", job.alias);
  job.start_unix_ns = TimeIn(json, "start");
  job.finish_unix_ns = TimeIn(json, "finish");
  job.create_unix_ns = TimeIn(json, "create").value_or(0);
  // What cannot be told to be over would run again.
  job.status =
      ValueOf(json.value("status", ""), {RangeJobStatus::kPending, RangeJobStatus::kRunning,
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
  const std::string copy(text);
  std::tm utc{};
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr) return {};
  std::string_view tail(rest);
  int64_t nanos = 0;
  if (tail.starts_with('.')) {
    tail.remove_prefix(1);
    const size_t digits = tail.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos || digits > kFractionDigits) return {};
    std::from_chars(tail.data(), tail.data() + digits, nanos);
    for (size_t i = digits; i < kFractionDigits; ++i) nanos *= 10;
    tail.remove_prefix(digits);
  }
  if (tail != "Z") return {};
  return static_cast<int64_t>(timegm(&utc)) * kNsPerSecond + nanos;
}

}  // namespace pd

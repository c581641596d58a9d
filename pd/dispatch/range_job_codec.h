#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "pd/result.h"
#include "scheduler/schedulers/range_jobs.h"

namespace pd {

/// A job of balance-range as JSON, as it is kept and as it is shown (as in the reference): keys of ranges in lower-case
/// hexadecimal, the timeout in nanoseconds, times as text; start and finish only once there are any.
nlohmann::ordered_json RangeJobToJson(const scheduler::RangeJob& job);
/// kCorrupt where it does not say what to do, where and for how long: a job that is half understood might do more than
/// was asked for.
Result<scheduler::RangeJob> RangeJobFromJson(const nlohmann::ordered_json& json);

/// Ranges as in all settings of schedulers: [{"start-key","end-key"}].
nlohmann::ordered_json KeyRangesToJson(const std::vector<scheduler::KeyRange>& ranges);
/// None for null (as the reference writes them). kCorrupt unless each has both keys, the end after the start.
Result<std::vector<scheduler::KeyRange>> KeyRangesFromJson(const nlohmann::ordered_json& list);

/// None for another word.
std::optional<scheduler::RangeJobRule> RangeJobRuleOf(std::string_view text);
std::optional<scheduler::RangeJobEngine> RangeJobEngineOf(std::string_view text);

/// "2026-11-23T15:58:53.957144171Z": RFC 3339 in UTC, without zeros at the end of a fraction.
std::string TimeText(int64_t unix_ns);
/// Of that form, with a fraction of up to nine digits or none, and "Z" or an offset such as "+08:00". Nothing for any
/// other text, or a time that has no Unix nanoseconds: they go from 1677 to 2262.
std::optional<int64_t> TimeFromText(std::string_view text);

}  // namespace pd

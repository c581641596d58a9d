#pragma once

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

#include "api/http/response.h"
#include "pd/dispatch/scheduler_codec.h"

namespace api {

// What requests say of schedulers, or the answer to give (as in the reference).

/// A store id that is none.
inline constexpr const char* kWrongStoreId = "please input a right store id";

template <class T>
using ParamOr = tl::expected<T, HttpResponse>;

/// {"start_key","end_key","range_name"}, keys query-escaped, to create a scatter-range scheduler.
[[nodiscard]] ParamOr<scheduler::ScatterRangeConfig> ReadScatterRange(
    const nlohmann::ordered_json& body);

/// {"store-leader-id":"1","store-id":"1,2,3"}, to create a grant-hot-region scheduler.
[[nodiscard]] ParamOr<scheduler::GrantHotRegionConfig> ReadGrantHotRegion(
    const nlohmann::ordered_json& body);
/// The same, to change it: the words differ.
[[nodiscard]] ParamOr<scheduler::GrantHotRegionConfig> ReadGrantHotRegionChange(
    const nlohmann::ordered_json& body);

/// {"engine","rule","alias","timeout","start-key","end-key"}, keys query-escaped and with commas for several ranges.
[[nodiscard]] ParamOr<scheduler::RangeJob> ReadRangeJob(const nlohmann::ordered_json& body);
/// Whether all that a job needs is there, before the scheduler is created with it.
[[nodiscard]] ParamOr<void> HasRangeJob(const nlohmann::ordered_json& body);

}  // namespace api

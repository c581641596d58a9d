#pragma once

#include <span>
#include <string>

#include "api/http/dashboard_snapshot.h"

namespace api {

/// The data of the `snapshot` and `history` events: compact JSON in the shapes of
/// web/src/api/types.ts.
[[nodiscard]] std::string DashboardSnapshotJson(const DashboardSnapshot& snapshot);
[[nodiscard]] std::string DashboardHistoryJson(std::span<const DashboardSample> samples);

[[nodiscard]] DashboardSample SampleOf(const DashboardSnapshot& snapshot);

}  // namespace api

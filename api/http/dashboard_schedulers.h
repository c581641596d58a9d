#pragma once

#include <vector>

#include "api/http/dashboard_snapshot.h"
#include "pd/coordinator.h"

namespace api {

/// Every scheduler of the table, disabled ones too, with what it did last and why it does nothing now; none without a
/// running cluster. Thread-safe.
[[nodiscard]] std::vector<DashboardScheduler> ReadSchedulers(pd::Coordinator& coordinator);

}  // namespace api

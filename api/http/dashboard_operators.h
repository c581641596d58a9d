#pragma once

#include <cstdint>

#include "api/http/dashboard_snapshot.h"
#include "pd/coordinator.h"

namespace api {

/// Reads what the coordinator does and why, for the dashboard. Of one thread; remembers how many
/// operators ended, since records do not last.
class OperatorsReader {
 public:
  explicit OperatorsReader(const pd::Coordinator& coordinator) : coordinator_(coordinator) {}

  [[nodiscard]] DashboardOperators Read();

 private:
  void CountEnded();

  const pd::Coordinator& coordinator_;
  uint64_t ended_ = 0;
  int64_t ended_until_ns_ = 0;  // Unix: records up to here are counted.
};

/// One operator as the page shows it at `now`.
[[nodiscard]] DashboardOperator OperatorOf(const pd::OperatorInfo& info, const pd::Stamp& now);

}  // namespace api

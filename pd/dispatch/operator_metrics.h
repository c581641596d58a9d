#pragma once

#include "pd/dispatch/operator_info.h"
#include "pd/metrics/metrics.h"
#include "scheduler/filters/reason.h"

namespace pd {

/// What operators do, as metrics (pd_schedule_*). Thread-safe.
class OperatorMetrics {
 public:
  explicit OperatorMetrics(MetricsRegistry& registry);

  /// `event`: create, start, finish, cancel, replace, timeout, ...
  void Count(const std::string& desc, const char* event);
  void Refused(const std::string& desc, const scheduler::Refusal& refusal);
  void Started(const scheduler::Operator& op);
  /// A started operator has ended; counts its end and how long it and its steps took.
  void Ended(const OperatorInfo& info);

 private:
  CounterFamily& events_;
  CounterFamily& over_store_limit_;
  HistogramFamily& duration_;
  HistogramFamily& step_duration_;
  HistogramFamily& region_size_;
};

}  // namespace pd

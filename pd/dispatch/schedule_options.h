#pragma once

#include "pd/config/config_store.h"
#include "pd/runtime/clock.h"
#include "scheduler/filters/options.h"
#include "scheduler/model/time.h"
#include "scheduler/operator/command.h"

namespace pd {

/// The part of the configuration that planning reads. Pure.
scheduler::ScheduleOptions MakeScheduleOptions(const OnlineConfig& config);

/// Whether stores of this cluster version know joint consensus (5.0.0 and later).
scheduler::ConfChange ConfChangeOf(const OnlineConfig& config);

/// The planning layer counts in milliseconds.
inline scheduler::Instant InstantOf(Nanos monotonic) {
  return {std::chrono::duration_cast<Millis>(monotonic)};
}

}  // namespace pd

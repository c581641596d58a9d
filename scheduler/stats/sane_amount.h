#pragma once

#include <cstdint>

#include "scheduler/model/classify.h"

namespace scheduler {

/// What a store says it has counted; nothing where the counter has gone wrong: one such report would outdo all others
/// for as long as it is remembered.
constexpr double SaneAmount(uint64_t counted) {
  return counted >= kFlowInsane ? 0 : static_cast<double>(counted);
}

}  // namespace scheduler

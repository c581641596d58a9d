#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "scheduler/model/ids.h"

namespace pd {

/// What an operator has booked in the snapshot windows of the stores that send for it; see StoreLimits. Goes with the
/// operator, to be released at its end.
struct SnapshotBooking {
  uint64_t made_in = 0;  // Which filling of the windows it is part of.
  std::vector<std::pair<scheduler::StoreId, int64_t>> costs_mib;
};

}  // namespace pd

#pragma once

#include "scheduler/schedulers/hold_back_memory.h"
#include "scheduler/schedulers/retry_quota.h"

namespace scheduler {

/// What balance-leader and balance-region remember from run to run, each for itself.
struct BalanceMemory {
  RetryQuota quota;
  HoldBackMemory hold_back;
};

}  // namespace scheduler

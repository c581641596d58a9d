#pragma once

#include <cstdint>

#include "pd/result.h"

namespace pd {

/// What runs only on the PD leader, between the start and the stop of its services. PdServer calls both in fixed order
/// on one thread of its own, never on the Raft thread, so a start may wait for Raft.
class LeaderService {
 public:
  virtual ~LeaderService() = default;

  /// This member leads in `term` and has applied everything that earlier leaders wrote. An error makes the member give
  /// its leadership up.
  [[nodiscard]] virtual Result<void> OnLeaderStart(uint64_t term) = 0;

  /// Leadership is lost or given up. Must drop what followed from it and must not wait for Raft.
  virtual void OnLeaderStop() = 0;
};

}  // namespace pd

#pragma once

#include <cstdint>
#include <vector>

#include "raft/types.h"

namespace pd {

/// What decides how much of the log may go.
struct LogUse {
  raft::LogIndex first = 1;  // First entry still there.
  raft::LogIndex applied = 0;
  uint64_t entries = 0;
  uint64_t bytes = 0;
  /// Of a leader: up to where each healthy follower needs nothing more (a snapshot on its way counts as arrived).
  std::vector<raft::LogIndex> healthy_matches;
};

struct LogLimits {
  uint64_t entries_soft =
      0;  // Beyond either soft limit the log is cut, but not before the slowest healthy follower.
  uint64_t bytes_soft = 0;
  uint64_t bytes_hard = 0;  // Beyond this it is cut to the applied index, whoever lags.
  uint64_t entries_kept =
      0;  // Kept behind the applied index, for members that were away for a moment.
};

/// The last entry that may go, or 0 for nothing to do. Pure.
raft::LogIndex CompactionTarget(const LogUse& use, const LogLimits& limits);

}  // namespace pd

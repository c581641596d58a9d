#include "pd/replication/log_compaction.h"

#include <algorithm>

namespace pd {

raft::LogIndex CompactionTarget(const LogUse& use, const LogLimits& limits) {
  const bool soft = use.entries > limits.entries_soft || use.bytes > limits.bytes_soft;
  const bool hard = use.bytes > limits.bytes_hard;
  if (!soft && !hard) return 0;
  raft::LogIndex target = use.applied;
  if (!hard) {
    target = use.applied > limits.entries_kept ? use.applied - limits.entries_kept : 0;
    for (const raft::LogIndex match : use.healthy_matches) target = std::min(target, match);
  }
  return target >= use.first ? target : 0;
}

}  // namespace pd

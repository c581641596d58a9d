#pragma once

#include <vector>

#include "raft/ready.h"
#include "raft/types.h"

namespace raft {

/// How a leader sends to a follower.
enum class ProgressState : uint8_t {
  kProbe,      ///< One append a heartbeat, until it is known where the logs meet.
  kReplicate,  ///< Appends follow each other without waiting, up to the inflight limits.
  kSnapshot,   ///< A snapshot is on its way; no appends.
};

/// What a leader knows of a member, itself included. match < next.
struct ProgressStatus {
  NodeId id = kNoNode;
  LogIndex match = 0;  ///< The follower has the leader's log up to here.
  LogIndex next = 0;   ///< The first entry to send next.
  ProgressState state = ProgressState::kProbe;
  LogIndex pending_snapshot = 0;  ///< Its index while in kSnapshot.
  bool recent_active = false;     ///< Heard of since the last quorum check.
  bool paused = false;            ///< No append may go just now.
  bool is_learner = false;
  uint64_t inflight_count = 0;
  bool inflight_full = false;
};

/// Cheap: no allocation.
struct BasicStatus {
  NodeId id = kNoNode;
  HardState hard_state;
  SoftState soft_state;
  LogIndex applied = 0;
  NodeId lead_transferee = kNoNode;  ///< Of a leader: where the leadership is going.
};

struct Status : BasicStatus {
  ConfState config;                      ///< The membership this node has applied.
  std::vector<ProgressStatus> progress;  ///< By id; empty unless this node leads.
};

}  // namespace raft

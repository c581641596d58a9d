#pragma once

#include <cstdint>

namespace scheduler {

/// The life of an operator. The numbers are on the wire (GET /operators?object). The reference's 5, Expired, is of
/// operators that waited too long for their start; ours start when they are admitted or not at all.
///
///   Created -> Started -> Success | Canceled | Replaced | Timeout
///   Created -> Canceled
enum class Status : uint8_t {
  kCreated = 0,
  kStarted = 1,
  kSuccess = 2,
  kCanceled = 3,
  kReplaced = 4,
  kTimeout = 6,
};

/// The transitions of the diagram above; an end status is never left.
bool MayBecome(Status from, Status to);

/// True for the statuses that are never left.
bool IsEnd(Status status);

/// Name for logs and metrics: "create", "started", "success", "canceled", "replaced", "timeout".
const char* StatusText(Status status);

/// pdpb.OperatorStatus' name as HTTP prints it: RUNNING, SUCCESS, CANCEL, REPLACE, TIMEOUT.
const char* WireStatusText(Status status);

/// Why an operator was given up (as in the reference).
enum class CancelReason : uint8_t {
  kNone,
  kRegionNotFound,
  kEpochNotMatch,
  kAdminStop,
  kTimeout,
  kStaleStatus,
  kRelatedMergeRegion,  // The operator of the other region of a merge has ended.
  kLeaderStopped,       // Ours: this server stopped being the PD leader.
};

const char* CancelReasonText(CancelReason reason);

}  // namespace scheduler

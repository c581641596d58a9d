#include "scheduler/operator/status.h"

#include <array>
#include <cstddef>

namespace scheduler {
namespace {

constexpr size_t kStatusCount = 7;

// Row: from; column: to; both in the order of Status.
constexpr std::array<std::array<bool, kStatusCount>, kStatusCount> kTransitions = {{
    // Created Started Success Canceled Replaced Expired Timeout
    {false, true, false, true, false, true, false},     // Created
    {false, false, true, true, true, false, true},      // Started
    {false, false, false, false, false, false, false},  // Success
    {false, false, false, false, false, false, false},  // Canceled
    {false, false, false, false, false, false, false},  // Replaced
    {false, false, false, false, false, false, false},  // Expired
    {false, false, false, false, false, false, false},  // Timeout
}};

}  // namespace

bool MayBecome(Status from, Status to) {
  return kTransitions[static_cast<size_t>(from)][static_cast<size_t>(to)];
}

bool IsEnd(Status status) { return status != Status::kCreated && status != Status::kStarted; }

const char* StatusText(Status status) {
  switch (status) {
    case Status::kCreated:
      return "create";
    case Status::kStarted:
      return "started";
    case Status::kSuccess:
      return "success";
    case Status::kCanceled:
      return "canceled";
    case Status::kReplaced:
      return "replaced";
    case Status::kExpired:
      return "expired";
    case Status::kTimeout:
      return "timeout";
  }
  return "unknown";
}

const char* WireStatusText(Status status) {
  switch (status) {
    case Status::kCreated:
    case Status::kStarted:
      return "RUNNING";
    case Status::kSuccess:
      return "SUCCESS";
    case Status::kCanceled:
      return "CANCEL";
    case Status::kReplaced:
      return "REPLACE";
    case Status::kExpired:
    case Status::kTimeout:
      return "TIMEOUT";
  }
  return "RUNNING";
}

const char* CancelReasonText(CancelReason reason) {
  switch (reason) {
    case CancelReason::kNone:
      return "";
    case CancelReason::kRegionNotFound:
      return "region not found";
    case CancelReason::kEpochNotMatch:
      return "epoch not match";
    case CancelReason::kAlreadyExist:
      return "already exist";
    case CancelReason::kAdminStop:
      return "admin stop";
    case CancelReason::kNotInRunningState:
      return "not in running state";
    case CancelReason::kTimeout:
      return "timeout";
    case CancelReason::kExpired:
      return "expired";
    case CancelReason::kNotInCreateStatus:
      return "not in create status";
    case CancelReason::kStaleStatus:
      return "stale status";
    case CancelReason::kExceedStoreLimit:
      return "exceed store limit";
    case CancelReason::kExceedWaitLimit:
      return "exceed wait limit";
    case CancelReason::kRelatedMergeRegion:
      return "related merge region";
    case CancelReason::kStartFailed:
      return "start failed";
    case CancelReason::kLeaderStopped:
      return "leader stopped";
    case CancelReason::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace scheduler

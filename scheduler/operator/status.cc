#include "scheduler/operator/status.h"

namespace scheduler {

bool MayBecome(Status from, Status to) {
  switch (from) {
    case Status::kCreated:
      return to == Status::kStarted || to == Status::kCanceled;
    case Status::kStarted:
      return IsEnd(to);
    case Status::kSuccess:
    case Status::kCanceled:
    case Status::kReplaced:
    case Status::kTimeout:
      return false;
  }
  return false;
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
    case CancelReason::kAdminStop:
      return "admin stop";
    case CancelReason::kTimeout:
      return "timeout";
    case CancelReason::kStaleStatus:
      return "stale status";
    case CancelReason::kRelatedMergeRegion:
      return "related merge region";
    case CancelReason::kLeaderStopped:
      return "leader stopped";
  }
  return "unknown";
}

}  // namespace scheduler

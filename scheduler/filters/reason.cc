#include "scheduler/filters/reason.h"

#include <array>
#include <cstddef>
#include <cstdio>

namespace scheduler {
namespace {

// In the order of Reason.
constexpr std::array<const char*, kReasonCount> kTexts = {
    "store-tombstone",
    "store-removing",
    "store-down",
    "store-disconnected",
    "store-busy",
    "store-transfer-in-paused",
    "store-transfer-out-paused",
    "store-slow",
    "store-stopping",
    "store-slow-trend",
    "store-rejects-leaders",
    "store-add-limit",
    "store-remove-limit",
    "store-send-limit",
    "store-snapshots",
    "store-pending-peers",
    "store-low-space",
    "store-special-use",
    "store-holds-peer",
    "store-excluded",
    "store-labels",
    "store-isolation",
    "store-worse-location",
    "store-placement",
    "store-unknown",
    "store-preparing",
    "region-no-leader",
    "region-down-peers",
    "region-pending-peers",
    "region-not-replicated",
    "region-better-location",
    "region-empty",
    "region-hot",
    "region-joint-state",
    "region-crosses-rules",
    "no-rules",
    "rules-off",
    "region-witness",
    "region-witness-switched",
    "region-schedule-denied",
    "region-affinity",
    "region-gone",
    "region-split-recently",
    "region-merged-recently",
    "region-too-large",
    "merge-boundary",
    "region-too-few-copies",
    "region-quorum",
    "no-source",
    "no-target",
    "no-region",
    "already-balanced",
    "below-level",
    "at-level",
    "targets-busy",
    "schedule-limit",
    "paused",
    "switched-off",
    "halted",
    "build-failed",
    "not-enough-regions",
    "stores-unheard",
    "known-too-short",
    "moved-recently",
    "no-job",
    "ranges-reserved",
    "no-hot-peers",
    "load-even",
    "loads-alike",
    "load-no-better",
    "other-load-worse",
    "region-moved-lately",
    "leader-moved-lately",
    "stale-epoch",
    "operator-exists",
    "not-leader",
};

}  // namespace

const char* ReasonText(Reason reason) { return kTexts[static_cast<size_t>(reason)]; }

bool PassesWithTime(const Refusal& refusal) {
  if (refusal.reason == Reason::kScheduleLimit) return refusal.bound > 0;
  switch (refusal.reason) {
    case Reason::kStoreBusy:
    case Reason::kStoreAddLimit:
    case Reason::kStoreRemoveLimit:
    case Reason::kStoreSendLimit:
    case Reason::kStoreSnapshots:
    case Reason::kStorePendingPeers:
    case Reason::kRegionNoLeader:
    case Reason::kRegionJointState:
    case Reason::kRegionTooFewCopies:
    case Reason::kRegionDownPeers:
    case Reason::kRegionPendingPeers:
    case Reason::kRegionNotReplicated:
    case Reason::kRegionHot:
    case Reason::kRegionWitnessSwitched:
    case Reason::kRegionSplitRecently:
    case Reason::kRegionMergedRecently:
    case Reason::kTargetsBusy:
    case Reason::kPaused:
    case Reason::kKnownTooShort:
    case Reason::kMovedRecently:
    case Reason::kOperatorExists:
      return true;
    default:
      return false;
  }
}

std::string NumberText(double value) {
  std::array<char, 512> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.3f", value);
  std::string text(buffer.data(), static_cast<size_t>(length));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string RefusalText(const Refusal& refusal) {
  std::string text = ReasonText(refusal.reason);
  if (refusal.store) text += " store=" + std::to_string(refusal.store.value);
  if (refusal.region) text += " region=" + std::to_string(refusal.region.value);
  if (refusal.value != 0 || refusal.bound != 0) {
    text += " value=" + NumberText(refusal.value) + " bound=" + NumberText(refusal.bound);
  }
  if (!refusal.detail.empty()) text += " (" + refusal.detail + ")";
  if (refusal.times > 1) text += " x" + std::to_string(refusal.times);
  return text;
}

}  // namespace scheduler

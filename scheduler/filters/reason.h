#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/model/ids.h"

namespace scheduler {

/// Why a decision was refused. One closed list for filters, checkers, schedulers and admission, so that explain, the
/// dashboard, metrics and scripts speak the same words.
enum class Reason : uint8_t {
  // A store may not be source or target. Value and bound as in the comment.
  kStoreTombstone,
  kStoreRemoving,
  kStoreDown,          // Seconds since its last heartbeat; max-store-down-time in seconds.
  kStoreNotConnected,  // Seconds since its last heartbeat; 20.
  kStoreBusy,
  kStoreTransferInPaused,
  kStoreTransferOutPaused,
  kStoreSlow,
  kStoreStopping,
  kStoreSlowTrend,
  kStoreRejectsLeaders,  // Label property reject-leader.
  kStoreAddLimit,        // Cost units left; units needed.
  kStoreRemoveLimit,     // Cost units left; units needed.
  kStoreSendLimit,       // MiB free in a snapshot window; MiB that must be.
  kStoreSnapshots,       // Snapshots in flight; max-snapshot-count.
  kStorePendingPeers,    // Pending peers; max-pending-peer-count.
  kStoreLowSpace,        // Share of space used; low-space-ratio.
  kStoreSpecialUse,
  kStoreHoldsPeer,
  kStoreExcluded,
  kStoreLabels,         // Does not meet the rule's label constraints.
  kStoreIsolation,      // Shares the isolation level with another peer.
  kStoreWorseLocation,  // Distinct score; the score to beat.
  kStorePlacement,      // The move would make the region's rules worse off.
  kStoreUnknown,
  kStorePreparing,  // Still taking its first share of the data.

  // A region may not be moved.
  kRegionNoLeader,
  kRegionDownPeers,     // Down peers; 0.
  kRegionPendingPeers,  // Pending peers; 0.
  kRegionNotReplicated,
  kRegionBetterLocation,  // A peer would be better located on another store.
  kRegionEmpty,           // Size in MiB; the size up to which it counts as empty.
  kRegionHot,
  kRegionJointState,
  kRegionCrossesRules,
  kNoRules,   // Placement rules cannot be read or do not go together: none is in force.
  kRulesOff,  // enable-placement-rules is off.
  kRegionWitness,
  kRegionWitnessSwitched,  // Seconds since a witness got its data back; switch-witness-interval.
  kRegionScheduleDenied,   // Labelled schedule=deny.
  kRegionAffinity,         // Its affinity group keeps it where it is, or wants it elsewhere.
  kRegionGone,
  kRegionSplitRecently,   // Seconds since; split-merge-interval.
  kRegionMergedRecently,  // Seconds since; seconds that it is left alone.
  kRegionTooLarge,  // MiB, or keys if the detail says so, with the other; the most that would do.
  kMergeBoundary,   // The detail says what keeps the regions apart.
  kRegionTooFewCopies,  // Healthy peers that would be left; peers wanted.
  kRegionQuorum,        // Voters that would be alive; voters that would be left.

  // Nothing to do, or not now.
  kNoSource,
  kNoTarget,
  kNoRegion,         // Tries; tries allowed.
  kAlreadyBalanced,  // Source score; target score, both with tolerance.
  kBelowLevel,       // The store's score; the score at which all stores will meet.
  kAtLevel,          // The same; of a target with what is under way.
  kTargetsBusy,      // A good target exists but cannot take it at this moment.
  kScheduleLimit,    // Operators of the kind; the limit.
  kPaused,
  kSwitchedOff,  // A setting says not to; the detail names it.
  kHalted,
  kBuildFailed,
  kNotEnoughRegions,  // Regions heard of since this server leads; regions wanted.
  kStoresUnheard,     // Seconds this server has led; seconds it waits for a store to be heard.
  kKnownTooShort,     // Seconds since this server knows of splits and merges; seconds wanted.
  kMovedRecently,     // Seconds since it was taken from the store; seconds that it stays away.
  kNoJob,             // Jobs that run or wait; 1.
  kRangesReserved,    // Ranges that a balance-range job has to itself, all that there is; 0.
  kNoHotPeers,        // Hot peers on the store that may be moved; one is wanted.
  kLoadEven,  // The store's load; the load beyond which it would give, or below which it would take.
  kLoadsAlike,    // Deviation of the stores' loads as a share of their mean; what counts as even.
  kLoadNoBetter,  // Rank of the best move from the store; the rank wanted.
  kOtherLoadWorse,  // What the target would read (or write) after a move for the other's sake; what it may.
  kRegionMovedLately,  // Seconds since its load was moved; seconds until that must show.
  kLeaderMovedLately,  // Seconds since the region has another leader; seconds it is left alone.

  // Admission.
  kStaleEpoch,      // The proposal's epoch; the region's.
  kOperatorExists,  // Priority of the proposal; priority of the running operator.
  kNotLeader,
};

inline constexpr size_t kReasonCount = static_cast<size_t>(Reason::kNotLeader) + 1;

/// A stable lower-case name with dashes, such as "store-add-limit": scripts, metrics and JSON use it.
const char* ReasonText(Reason reason);

/// One refusal with the numbers behind it; ids that do not apply are 0.
struct Refusal {
  Reason reason = Reason::kNoSource;
  StoreId store;
  RegionId region;
  double value = 0;
  double bound = 0;
  std::string detail;  // For people; empty when the numbers say all.
  uint32_t times = 1;  // How often in one decision; the other fields are of the first.

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// What a look at the region or the store may find gone a while later, though nothing has been changed. A limit of 0 is
/// a setting.
bool PassesWithTime(const Refusal& refusal);

/// "store-add-limit store=3 region=7 value=0 bound=1000".
std::string RefusalText(const Refusal& refusal);

/// A number as scripts and people read it: no exponent for everyday values, no trailing zeros, at most 3 decimals.
std::string NumberText(double value);

}  // namespace scheduler

#pragma once

#include <optional>
#include <span>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"
#include "scheduler/operator/kind.h"

namespace scheduler {

/// Hard constraints on stores (as in the reference): may it? How good it would be is the score's business. Each returns
/// the first reason against the store, or nothing.

/// Whether reasons that pass by themselves count: disconnected, busy, limits, snapshots, pending peers.
enum class Patience : uint8_t { kNow, kMayWait };

/// Cost of one region of normal size in the store limits; what the filters ask for.
inline constexpr int64_t kNormalRegionCost = 1000;

/// A snapshot may go into a window of its sender that has so much free, however large it is (as in the reference).
inline constexpr int64_t kSnapshotRoomMinMib = 10;

std::optional<Refusal> RefuseLeaderSource(const PlanContext& context, const Store& store);
std::optional<Refusal> RefuseLeaderTarget(const PlanContext& context, const Store& store);

/// Labelled to hold no leaders (label property reject-leader).
bool RejectsLeaders(const PlanContext& context, const Store& store);

/// A store on which no rule of the region lets a peer lead.
std::optional<Refusal> RefuseLeaderByRules(const PlanContext& context, const Region& region,
                                           const Store& store);
/// The same, and a store from which the lead would leave more peers in another role than their rules want.
std::optional<Refusal> RefuseLeaderMove(const PlanContext& context, const Region& region,
                                        const Store& to);

/// Down, disconnected and removing stores are legal sources.
std::optional<Refusal> RefuseRegionSource(const PlanContext& context, const Store& store);

std::optional<Refusal> RefuseRegionTarget(const PlanContext& context, const Store& store,
                                          Patience patience = Patience::kNow);

/// The short list of scatter, witness and fast fail-over targets: tombstone, removing, down, disconnected, busy.
std::optional<Refusal> RefuseBasicTarget(const PlanContext& context, const Store& store);

std::optional<Refusal> RefuseLowSpace(const PlanContext& context, const Store& store);
/// Stores labelled specialUse=hotRegion or specialUse=reserved take no ordinary regions.
std::optional<Refusal> RefuseSpecialUse(const Store& store);
/// Refuses a store that shares the rule's isolation level with one of `others`; every store when there are no others,
/// since nothing is known then.
std::optional<Refusal> RefuseIsolation(const Rule& rule, std::span<const Store* const> others,
                                       const Store& store);

/// Whether a snapshot may be taken from this store now (its leader will have to send one), for an operator of this
/// priority. `planned_mib`: what the caller has proposed already that this store would send.
std::optional<Refusal> RefuseSnapshotSender(const PlanContext& context, const Store& store,
                                            Priority priority, int64_t planned_mib);

/// May the peer on `store` simply go, or its data? Not when it is a healthy copy and fewer than `wanted` healthy copies
/// would be left. A witness is no copy.
std::optional<Refusal> RefuseRemoval(const PlanContext& context, const Region& region,
                                     StoreId store, uint64_t wanted);

/// Conditions on a region that is to be moved for balance: leader known, no joint state, no down peer.
std::optional<Refusal> RefuseRegionMove(const Region& region);
/// The same, and no pending peer.
std::optional<Refusal> RefuseUnhealthyRegion(const Region& region);
/// A region that an operator runs on.
std::optional<Refusal> RefuseBusyRegion(const PlanContext& context, const Region& region);
/// A region of which a peer is hot: balance by counts leaves it to that by loads (as in the reference).
std::optional<Refusal> RefuseHotRegion(const PlanContext& context, const Region& region);
/// A region that its affinity group does not let be balanced.
std::optional<Refusal> RefuseAffinityRegion(const PlanContext& context, const Region& region);

/// With `reason`, while less than `rest` has passed since something happened to a region; none if it has not happened.
std::optional<Refusal> RefuseSooner(const PlanContext& context, Reason reason, RegionId region,
                                    std::optional<Instant> happened, Millis rest);

/// A scheduler has taken it from the store lately: it would go back and forth.
std::optional<Refusal> RefuseMovedBack(const PlanContext& context, MovedThing what, RegionId region,
                                       StoreId target);

}  // namespace scheduler

#include "scheduler/schedulers/hot_region_checks.h"

#include <algorithm>
#include <vector>

#include "scheduler/filters/store_filter.h"

namespace scheduler {
namespace {

using Verdict = std::optional<Refusal>;

/// Three reports long what is said of a region may still be of its former leader's time.
Millis CoolDown(Access access) {
  return access == Access::kRead ? Seconds{3 * 10} : Seconds{3 * 60};
}

Refusal OfRegion(Reason reason, RegionId region, double value = 0, double bound = 0) {
  return Refusal{reason, StoreId{}, region, value, bound, {}};
}

/// Stores kept for hot regions take them; those kept for something else do not.
Verdict RefuseReserved(const Store& store) {
  if (store.Label("specialUse") == "hotRegion") return {};
  return RefuseSpecialUse(store);
}

Verdict RefuseNewLeader(const PlanContext& context, const Region& region, const Store& target) {
  if (auto refusal = RefuseLeaderTarget(context, target)) return refusal;
  return RefuseLeaderMove(context, region, target);
}

/// The load of each dimension that stores may have without being over the mean, by `access`.
Load FairLoad(const ClusterView& view, Access access, const Store& like) {
  constexpr double kTolerance = 1.05;
  Load sum;
  double stores = 0;
  for (const Store& store : view.stores()) {
    if (!store.IsUp() || store.IsTiFlash() != like.IsTiFlash()) continue;
    sum += view.LoadsOf(store.id).Of(access);
    ++stores;
  }
  return sum * (stores > 0 ? kTolerance / stores : 0);
}

/// What is moved for the sake of writes takes reads along, and the other way about. It may not make the target the
/// store with the most of those: two tasks would pull at the region in turn (in the reference they do).
Verdict RefuseOtherLoad(const PlanContext& context, const Region& region, const HotPeer& peer,
                        const Store& target, HotTask task) {
  const Access other = AccessOf(task) == Access::kRead ? Access::kWrite : Access::kRead;
  const bool goes_along = other == Access::kRead ? region.leader.store == peer.store
                                                 : region.PeerOnStore(target.id) == nullptr;
  if (!goes_along) return {};
  const std::vector<HotPeer> hot = context.view.HotPeers(other, peer.store);
  const auto moved = std::ranges::find(hot, region.id, &HotPeer::region);
  if (moved == hot.end()) return {};
  const Load source = context.view.LoadsOf(peer.store).Of(other);
  const Load after = context.view.LoadsOf(target.id).Of(other) + moved->load;
  const Load fair = FairLoad(context.view, other, target);
  for (const LoadDim dim : {LoadDim::kByte, LoadDim::kQuery}) {
    const double most = std::max(source[dim] - moved->load[dim], fair[dim]);
    if (moved->load[dim] > 0 && after[dim] > most) {
      return Refusal{Reason::kOtherLoadWorse,
                     target.id,
                     region.id,
                     after[dim],
                     most,
                     other == Access::kRead ? "reads" : "writes"};
    }
  }
  return {};
}

}  // namespace

Verdict RefuseHotSource(const PlanContext& context, const Store& store, HotTask task) {
  if (MovesLeaders(task)) return RefuseLeaderSource(context, store);
  return RefuseRegionSource(context, store);
}

Verdict RefuseHotPeer(const PlanContext& context, const HotRegionMemory& memory,
                      const HotPeer& peer, Access access) {
  const auto moved = memory.moves.find(peer.region);
  if (moved != memory.moves.end()) {
    return OfRegion(Reason::kRegionMovedLately, peer.region,
                    SecondsOf(context.now - moved->second.planned),
                    SecondsOf(moved->second.shows_after));
  }
  if (context.busy_regions.contains(peer.region)) {
    return OfRegion(Reason::kOperatorExists, peer.region);
  }
  return RefuseSooner(context, Reason::kLeaderMovedLately, peer.region, peer.leader_moved,
                      CoolDown(access));
}

Verdict RefuseHotRegion(const PlanContext& context, const Region& region, const HotPeer& peer,
                        HotTask task) {
  // Pending peers are no obstacle: they are common where much is written.
  if (auto refusal = RefuseRegionMove(region)) return refusal;
  const Peer* at = region.PeerOnStore(peer.store);
  if (at == nullptr) return OfRegion(Reason::kRegionGone, region.id);
  if (MovesLeaders(task) && region.leader.id != at->id) {
    return OfRegion(Reason::kRegionGone, region.id);
  }
  if (at->witness) return OfRegion(Reason::kRegionWitness, region.id);
  if (context.IsScheduleDenied(region)) {
    return OfRegion(Reason::kRegionScheduleDenied, region.id);
  }
  if (auto refusal = RefuseAffinityRegion(context, region)) return refusal;
  if (!context.Fit(region).IsSatisfied()) {
    return OfRegion(Reason::kRegionNotReplicated, region.id);
  }
  return {};
}

Verdict RefuseHotMove(const PlanContext& context, const Region& region, const HotPeer& peer,
                      const Store& target, HotTask task) {
  const bool leads = region.leader.store == peer.store;
  if (const Peer* at = region.PeerOnStore(target.id)) {
    if (!MovesLeaders(task))
      return Refusal{Reason::kStoreHoldsPeer, target.id, region.id, 0, 0, {}};
    if (IsLearner(*at) || at->witness || region.IsPending(at->id)) {
      return Refusal{Reason::kNoTarget, target.id, region.id, 0, 0, {}};
    }
    return RefuseNewLeader(context, region, target);
  }
  if (auto refusal = RefuseRegionTarget(context, target)) return refusal;
  if (auto refusal = RefuseLowSpace(context, target)) return refusal;
  if (auto refusal = RefuseReserved(target)) return refusal;
  if (!MayReplace(context.view, context.Fit(region), peer.store, target)) {
    return Refusal{Reason::kStorePlacement, target.id, region.id, 0, 0, {}};
  }
  const Store* sender = context.view.FindStore(region.leader.store);
  if (sender == nullptr)
    return Refusal{Reason::kStoreUnknown, region.leader.store, region.id, 0, 0, {}};
  if (auto refusal = RefuseSnapshotSender(context, *sender, Priority::kHigh, 0)) return refusal;
  if (!leads) return {};
  return RefuseNewLeader(context, region, target);
}

Verdict RefuseHotReturn(const PlanContext& context, const Region& region, const HotPeer& peer,
                        const Store& target, HotTask task) {
  if (region.leader.store == peer.store) {
    auto back = RefuseMovedBack(context, MovedThing::kLeader, region.id, target.id);
    if (back) return back;
  }
  if (auto back = RefuseMovedBack(context, MovedThing::kPeer, region.id, target.id)) return back;
  return RefuseOtherLoad(context, region, peer, target, task);
}

}  // namespace scheduler

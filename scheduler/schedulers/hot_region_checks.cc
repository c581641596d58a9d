#include "scheduler/schedulers/hot_region_checks.h"

#include <algorithm>
#include <utility>

#include "scheduler/filters/store_filter.h"
#include "scheduler/model/assert.h"

namespace scheduler {
namespace {

using Verdict = std::optional<Refusal>;

/// Three reports long what is said of a region may still be of its former leader's time.
Millis CoolDown(Access access) {
  return access == Access::kRead ? Seconds{3 * 10} : Seconds{3 * 60};
}

Access OtherOf(Access access) { return access == Access::kRead ? Access::kWrite : Access::kRead; }

Refusal OfRegion(Reason reason, RegionId region, double value = 0, double bound = 0) {
  return Refusal{reason, StoreId{}, region, value, bound, {}};
}

/// Stores kept for hot regions take them; those kept for something else do not.
Verdict RefuseReserved(const Store& store) {
  if (store.Label("specialUse") == "hotRegion") return {};
  return RefuseSpecialUse(store);
}

/// What the store itself has against a new peer.
Verdict RefusePeerTarget(const PlanContext& context, const Store& target) {
  if (auto refusal = RefuseRegionTarget(context, target)) return refusal;
  if (auto refusal = RefuseLowSpace(context, target)) return refusal;
  return RefuseReserved(target);
}

Verdict RefuseHeldLead(const PlanContext& context, const Region& region, const Peer& at,
                       const Store& target) {
  if (IsLearner(at) || at.witness || region.IsPending(at.id)) {
    return Refusal{Reason::kNoTarget, target.id, region.id, 0, 0, {}};
  }
  return RefuseLeaderMove(context, region, target);
}

/// Of a peer that is new to the store, beside what the store itself says.
Verdict RefuseNewPeer(const PlanContext& context, const Region& region, const RegionFit& fit,
                      const HotPeer& peer, const Store& target) {
  if (!MayReplace(context.view, fit, peer.store, target)) {
    return Refusal{Reason::kStorePlacement, target.id, region.id, 0, 0, {}};
  }
  const Store* sender = context.view.FindStore(region.leader.store);
  if (sender == nullptr)
    return Refusal{Reason::kStoreUnknown, region.leader.store, region.id, 0, 0, {}};
  if (auto refusal = RefuseSnapshotSender(context, *sender, Priority::kHigh, 0)) return refusal;
  if (region.leader.store != peer.store) return {};
  return RefuseLeaderMove(context, region, target);
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

Verdict RefuseMover(const PlanContext& context, const Region& region, const HotPeer& peer,
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
  return RefuseAffinityRegion(context, region);
}

Verdict RefuseUnreplicated(const Region& region, const RegionFit& fit) {
  if (fit.IsSatisfied()) return {};
  return OfRegion(Reason::kRegionNotReplicated, region.id);
}

HotArrival ArrivalOf(const Region& region, const HotPeer& peer, const Store& target) {
  if (region.PeerOnStore(target.id) != nullptr) return HotArrival::kLead;
  return region.leader.store == peer.store ? HotArrival::kLeadingPeer : HotArrival::kPeer;
}

Verdict RefuseArrival(const PlanContext& context, const Store& target, HotArrival arrival) {
  if (arrival != HotArrival::kLead) {
    if (auto refusal = RefusePeerTarget(context, target)) return refusal;
  }
  if (arrival == HotArrival::kPeer) return {};
  return RefuseLeaderTarget(context, target);
}

Verdict RefuseHotPair(const PlanContext& context, const Region& region, const RegionFit& fit,
                      const HotPeer& peer, const Store& target, HotTask task) {
  const Peer* at = region.PeerOnStore(target.id);
  if (at == nullptr) return RefuseNewPeer(context, region, fit, peer, target);
  if (MovesLeaders(task)) return RefuseHeldLead(context, region, *at, target);
  return Refusal{Reason::kStoreHoldsPeer, target.id, region.id, 0, 0, {}};
}

// ---- Of one search.

const Region* HotMoveChecks::RegionOf(const HotPeer& peer) {
  const Mover* mover = Find(peer);
  return mover == nullptr ? nullptr : &mover->region;
}

HotMoveChecks::Mover* HotMoveChecks::Find(const HotPeer& peer) {
  const auto [known, fresh] = movers_.try_emplace({peer.region, peer.store});
  std::optional<Mover>& mover = known->second;
  if (!fresh) return mover ? &*mover : nullptr;
  auto region = context_.view.FindRegion(peer.region);
  if (!region) {
    decision_.Refuse({Reason::kRegionGone, {}, peer.region, 0, 0, {}});
    return nullptr;
  }
  if (Note(RefuseMover(context_, *region, peer, task_))) return nullptr;
  RegionFit fit = context_.Fit(*region);
  if (Note(RefuseUnreplicated(*region, fit))) return nullptr;
  mover.emplace(Mover{*std::move(region), std::move(fit), {}});
  return &*mover;
}

bool HotMoveChecks::MayGo(const HotPeer& peer, const Store& target) {
  Mover* const found = Find(peer);
  PD_ASSERT(found != nullptr);
  Mover& mover = *found;
  if (!IsOpen(target, ArrivalOf(mover.region, peer, target))) return false;
  const auto [known, fresh] = mover.may_go.try_emplace(target.id, false);
  if (fresh) {
    ++pairs_;
    auto refusal = RefuseHotPair(context_, mover.region, mover.fit, peer, target, task_);
    if (!refusal) refusal = RefuseReturn(mover.region, peer, target);
    known->second = !Note(std::move(refusal));
  }
  return known->second;
}

bool HotMoveChecks::IsOpen(const Store& target, HotArrival arrival) {
  const auto [known, fresh] = open_.try_emplace({target.id, arrival}, false);
  if (fresh) known->second = !Note(RefuseArrival(context_, target, arrival));
  return known->second;
}

Verdict HotMoveChecks::RefuseReturn(const Region& region, const HotPeer& peer,
                                    const Store& target) {
  if (region.leader.store == peer.store) {
    auto back = RefuseMovedBack(context_, MovedThing::kLeader, region.id, target.id);
    if (back) return back;
  }
  if (auto back = RefuseMovedBack(context_, MovedThing::kPeer, region.id, target.id)) return back;
  return RefuseOtherLoad(region, peer, target);
}

/// What is moved for the sake of writes takes reads along, and the other way about. It may not make the target the
/// store with the most of those: two tasks would pull at the region in turn (in the reference they do).
Verdict HotMoveChecks::RefuseOtherLoad(const Region& region, const HotPeer& peer,
                                       const Store& target) {
  const bool reads = AccessOf(task_) == Access::kWrite;
  const bool goes_along =
      reads ? region.leader.store == peer.store : region.PeerOnStore(target.id) == nullptr;
  if (!goes_along) return {};
  const Loads& hot = OtherLoadsOn(peer.store);
  const auto moved = hot.find(region.id);
  if (moved == hot.end()) return {};
  const Load& load = moved->second;
  const Load& source = OtherLoadOf(peer.store);
  const Load after = OtherLoadOf(target.id) + load;
  const Load& fair = FairLoad(target);
  for (const LoadDim dim : {LoadDim::kByte, LoadDim::kQuery}) {
    const double most = std::max(source[dim] - load[dim], fair[dim]);
    if (load[dim] > 0 && after[dim] > most) {
      return Refusal{Reason::kOtherLoadWorse,   target.id, region.id, after[dim], most,
                     reads ? "reads" : "writes"};
    }
  }
  return {};
}

const HotMoveChecks::Loads& HotMoveChecks::OtherLoadsOn(StoreId store) {
  const auto [known, fresh] = other_peers_.try_emplace(store);
  if (fresh) {
    for (const HotPeer& peer : context_.view.HotPeers(OtherOf(AccessOf(task_)), store)) {
      known->second.emplace(peer.region, peer.load);
    }
  }
  return known->second;
}

const Load& HotMoveChecks::OtherLoadOf(StoreId store) {
  const auto [known, fresh] = other_stores_.try_emplace(store);
  if (fresh) known->second = context_.view.LoadsOf(store).Of(OtherOf(AccessOf(task_)));
  return known->second;
}

/// The load of each dimension that stores of this engine may have without being over the mean.
const Load& HotMoveChecks::FairLoad(const Store& like) {
  constexpr double kTolerance = 1.05;
  const auto [known, fresh] = fair_.try_emplace(like.IsTiFlash());
  if (!fresh) return known->second;
  Load sum;
  double stores = 0;
  for (const Store& store : context_.view.stores()) {
    if (!store.IsUp() || store.IsTiFlash() != like.IsTiFlash()) continue;
    sum += OtherLoadOf(store.id);
    ++stores;
  }
  known->second = sum * (stores > 0 ? kTolerance / stores : 0);
  return known->second;
}

/// Whether there is one.
bool HotMoveChecks::Note(Verdict refusal) {
  if (!refusal) return false;
  decision_.Refuse(*std::move(refusal));
  return true;
}

}  // namespace scheduler

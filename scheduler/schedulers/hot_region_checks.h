#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "scheduler/filters/plan_context.h"
#include "scheduler/filters/reason.h"
#include "scheduler/operator/decision.h"
#include "scheduler/schedulers/hot_region_memory.h"

namespace scheduler {

/// Hard constraints on moves of hot peers; how good a move would be is the rank's business.

/// Why nothing of the task leaves the store now.
std::optional<Refusal> RefuseHotSource(const PlanContext& context, const Store& store,
                                       HotTask task);

/// Why this peer's region is not to be moved now, in whatever direction: it was lately, or its leader was, or it is
/// busy.
std::optional<Refusal> RefuseHotPeer(const PlanContext& context, const HotRegionMemory& memory,
                                     const HotPeer& peer, Access access);

/// Why the region, as it is now, may not be touched, if not for its rules: that is RefuseUnreplicated()'s.
std::optional<Refusal> RefuseMover(const PlanContext& context, const Region& region,
                                   const HotPeer& peer, HotTask task);
std::optional<Refusal> RefuseUnreplicated(const Region& region, const RegionFit& fit);

/// What a store would take in.
enum class HotArrival : uint8_t { kLead, kPeer, kLeadingPeer };
HotArrival ArrivalOf(const Region& region, const HotPeer& peer, const Store& target);
/// What the store has against that of any region.
std::optional<Refusal> RefuseArrival(const PlanContext& context, const Store& target,
                                     HotArrival arrival);
/// What else there is against the peer going to `target`, or the lead if there is a peer.
std::optional<Refusal> RefuseHotPair(const PlanContext& context, const Region& region,
                                     const RegionFit& fit, const HotPeer& peer, const Store& target,
                                     HotTask task);

/// The constraints on all moves of one search, each looked at when it is first asked for and never again: what depends
/// on a peer once for the peer, what depends on a store once for the store, the rest once for the pair. What refuses is
/// noted in the decision that once.
///
/// Beside them, why a move that evens out loads would soon be taken back: reads and writes may want the region on
/// different stores. Loads of the other kind are read once for each store. The view lives on.
class HotMoveChecks {
 public:
  HotMoveChecks(const PlanContext& context, HotTask task, Decision& decision)
      : context_(context), task_(task), decision_(decision) {}

  /// The region of the peer as it is, if it may be touched; else null.
  const Region* RegionOf(const HotPeer& peer);
  /// Whether the peer, which has a region, may go to `target`, or its lead if there is a peer.
  bool MayGo(const HotPeer& peer, const Store& target);
  /// Pairs of a peer and a store that were looked at, but for stores that take nothing at all.
  [[nodiscard]] size_t pairs() const { return pairs_; }

 private:
  struct Mover {
    Region region;
    RegionFit fit;
    std::map<StoreId, bool> may_go;
  };
  using Loads = std::map<RegionId, Load>;

  Mover* Find(const HotPeer& peer);
  bool IsOpen(const Store& target, HotArrival arrival);
  std::optional<Refusal> RefuseReturn(const Region& region, const HotPeer& peer,
                                      const Store& target);
  std::optional<Refusal> RefuseOtherLoad(const Region& region, const HotPeer& peer,
                                         const Store& target);
  const Loads& OtherLoadsOn(StoreId store);
  const Load& OtherLoadOf(StoreId store);
  const Load& FairLoad(const Store& like);
  bool Note(std::optional<Refusal> refusal);

  const PlanContext& context_;
  const HotTask task_;
  Decision& decision_;
  size_t pairs_ = 0;
  std::map<std::pair<RegionId, StoreId>, std::optional<Mover>> movers_;
  std::map<std::pair<StoreId, HotArrival>, bool> open_;
  // Of the other kind of access.
  std::map<StoreId, Loads> other_peers_;
  std::map<StoreId, Load> other_stores_;
  std::map<bool, Load> fair_;  // By whether TiFlash.
};

}  // namespace scheduler

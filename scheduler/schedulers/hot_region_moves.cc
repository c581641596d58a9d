#include "scheduler/schedulers/hot_region_moves.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/hot_region_checks.h"

namespace scheduler {

std::vector<HotPeer> AllHotPeers(const ClusterView& view) {
  std::vector<HotPeer> all;
  for (const Store& store : view.stores()) {
    for (const Access access : {Access::kRead, Access::kWrite}) {
      const std::vector<HotPeer> peers = view.HotPeers(access, store.id);
      all.insert(all.end(), peers.begin(), peers.end());
    }
  }
  std::ranges::stable_sort(all, std::greater<>(),
                           [](const HotPeer& peer) { return peer.load[LoadDim::kByte]; });
  return all;
}

std::optional<Refusal> RefuseHotTrip(const PlanContext& context, const HotPeer& peer,
                                     const Store& target, HotTask task, Region& region) {
  if (context.busy_regions.contains(peer.region)) {
    return Refusal{Reason::kOperatorExists, StoreId{}, peer.region, 0, 0, {}};
  }
  auto found = context.view.FindRegion(peer.region);
  if (!found) return Refusal{Reason::kRegionGone, StoreId{}, peer.region, 0, 0, {}};
  const Store* source = context.view.FindStore(peer.store);
  if (source == nullptr) return Refusal{Reason::kStoreUnknown, peer.store, peer.region, 0, 0, {}};
  if (auto refusal = RefuseHotSource(context, *source, task)) return refusal;
  if (auto refusal = RefuseMover(context, *found, peer, task)) return refusal;
  const RegionFit fit = context.Fit(*found);
  if (auto refusal = RefuseUnreplicated(*found, fit)) return refusal;
  const HotArrival arrival = ArrivalOf(*found, peer, target);
  if (auto refusal = RefuseArrival(context, target, arrival)) return refusal;
  if (auto refusal = RefuseHotPair(context, *found, fit, peer, target, task)) return refusal;
  region = *std::move(found);
  return {};
}

Result<Proposal> MoveHotPeer(const PlanContext& context, const Region& region, const HotPeer& peer,
                             HotTrip trip) {
  Builder builder(context, std::move(trip.desc), region);
  if (region.PeerOnStore(trip.to) == nullptr) {
    Peer moved = *region.PeerOnStore(peer.store);
    moved.id = {};
    moved.store = trip.to;
    builder.RemovePeer(peer.store).AddPeer(moved);
  }
  if (region.leader.store == peer.store) builder.SetLeader(trip.to);
  std::string why;
  for (const LoadDim dim : kLoadDims) {
    if (peer.load[dim] > 0) {
      why += std::string(LoadDimText(dim)) + " " + NumberText(peer.load[dim]) + ", ";
    }
  }
  why += "on store " + std::to_string(peer.store.value) + ", " + trip.aim;
  return builder.SetWhy(std::move(why)).Build(Kind::kHotRegion, trip.priority);
}

}  // namespace scheduler

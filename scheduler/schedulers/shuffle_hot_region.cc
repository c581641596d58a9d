#include "scheduler/schedulers/shuffle_hot_region.h"

#include <string>
#include <utility>
#include <vector>

#include "scheduler/schedulers/hot_region_moves.h"

namespace scheduler {

Decision ShuffleHotRegion(const PlanContext& context, const ShuffleHotRegionConfig&, Rng& rng) {
  Decision decision;
  std::vector<HotPeer> peers = AllHotPeers(context.view);
  std::erase_if(peers, [](const HotPeer& peer) { return !peer.leads; });
  if (peers.empty()) {
    decision.Refuse({Reason::kNoHotPeers, StoreId{}, RegionId{}, 0, 1, {}});
    return decision;
  }
  const HotPeer& peer = peers[rng.Below(peers.size())];
  std::vector<std::pair<const Store*, Region>> targets;
  for (const Store& store : context.view.stores()) {
    Region region;
    auto refusal = RefuseHotTrip(context, peer, store, HotTask::kWritePeer, region);
    if (refusal) {
      decision.Refuse(*std::move(refusal));
    } else {
      targets.emplace_back(&store, std::move(region));
    }
  }
  if (targets.empty()) {
    decision.Refuse({Reason::kNoTarget, peer.store, peer.region, 0, 1, {}});
    return decision;
  }
  const auto& [target, region] = targets[rng.Below(targets.size())];
  const std::string aim =
      "store " + std::to_string(target->id.value) + " drawn of " + std::to_string(targets.size());
  decision.Take(region.id,
                MoveHotPeer(context, region, peer,
                            {"random-move-hot-leader", target->id, Priority::kLow, aim}));
  return decision;
}

}  // namespace scheduler

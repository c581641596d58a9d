#include "scheduler/schedulers/grant_hot_region.h"

#include <algorithm>
#include <string>
#include <utility>

#include "scheduler/schedulers/hot_region_moves.h"

namespace scheduler {
namespace {

class HotGrant {
 public:
  HotGrant(const PlanContext& context, const GrantHotRegionConfig& config, Rng& rng)
      : context_(context), config_(config), rng_(rng) {}

  Decision Run() {
    const std::vector<HotPeer> peers = AllHotPeers(context_.view);
    if (peers.empty()) {
      decision_.Refuse({Reason::kNoHotPeers, config_.leader_store, RegionId{}, 0, 1, {}});
    }
    const size_t refused = decision_.refusals.size();
    // Whichever comes first, the other has its turn when that finds nothing.
    const bool leaders_first = rng_.Below(2) == 0;
    for (const bool leaders : {leaders_first, !leaders_first}) {
      for (const HotPeer& peer : peers) {
        if (leaders ? GrantLeader(peer) : GrantPeer(peer)) return std::move(decision_);
      }
    }
    if (!peers.empty() && decision_.refusals.size() == refused) {
      decision_.Refuse(homeless_ == 0
                           ? Refusal{Reason::kNoHotPeers, config_.leader_store, RegionId{}, 0, 1,
                                     "all are on stores that they are granted to"}
                           : Refusal{Reason::kNoTarget, config_.leader_store, RegionId{}, 0,
                                     static_cast<double>(homeless_), "no store for peers"});
    }
    return std::move(decision_);
  }

 private:
  [[nodiscard]] bool IsGranted(StoreId store) const {
    return store == config_.leader_store ||
           std::ranges::find(config_.stores, store) != config_.stores.end();
  }

  [[nodiscard]] bool TakesPeers() const {
    return std::ranges::any_of(config_.stores,
                               [&](StoreId store) { return store != config_.leader_store; });
  }

  bool GrantLeader(const HotPeer& peer) {
    if (!peer.leads || peer.store == config_.leader_store) return false;
    return Go(peer, config_.leader_store, HotTask::kReadLeader, "grant-hot-region-leader");
  }

  bool GrantPeer(const HotPeer& peer) {
    if (peer.leads || IsGranted(peer.store)) return false;
    if (!TakesPeers()) {
      ++homeless_;
      return false;
    }
    const uint64_t start = rng_.Below(config_.stores.size());
    for (size_t i = 0; i < config_.stores.size(); ++i) {
      const StoreId target = config_.stores[(start + i) % config_.stores.size()];
      if (target == config_.leader_store) continue;
      if (Go(peer, target, HotTask::kWritePeer, "grant-hot-region-move")) return true;
    }
    return false;
  }

  bool Go(const HotPeer& peer, StoreId to, HotTask task, const char* desc) {
    const Store* target = context_.view.FindStore(to);
    if (target == nullptr) {
      decision_.Refuse({Reason::kStoreUnknown, to, peer.region, 0, 0, {}});
      return false;
    }
    Region region;
    if (auto refusal = RefuseHotTrip(context_, peer, *target, task, region)) {
      decision_.Refuse(*std::move(refusal));
      return false;
    }
    const char* const what = peer.leads ? "leaders" : "other peers";
    auto built =
        MoveHotPeer(context_, region, peer,
                    {desc, to, Priority::kHigh,
                     std::string(what) + " are granted to store " + std::to_string(to.value)});
    const bool done = built.has_value();
    decision_.Take(region.id, std::move(built));
    return done;
  }

  const PlanContext& context_;
  const GrantHotRegionConfig& config_;
  Rng& rng_;
  size_t homeless_ = 0;  // Peers that no store is granted.
  Decision decision_;
};

}  // namespace

Decision GrantHotRegion(const PlanContext& context, const GrantHotRegionConfig& config, Rng& rng) {
  return HotGrant(context, config, rng).Run();
}

}  // namespace scheduler

#include "scheduler/schedulers/shuffle_region.h"

#include <algorithm>
#include <string>
#include <utility>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/schedulers/random_region.h"

namespace scheduler {
namespace {

HeldAs HeldAsOf(ShuffleRole role) {
  switch (role) {
    case ShuffleRole::kLeader:
      return HeldAs::kLeader;
    case ShuffleRole::kFollower:
      return HeldAs::kFollower;
    case ShuffleRole::kLearner:
      return HeldAs::kLearner;
  }
  return HeldAs::kFollower;
}

class RegionShuffle {
 public:
  RegionShuffle(const PlanContext& context, const ShuffleRegionConfig& config, Rng& rng)
      : context_(context), config_(config), rng_(rng) {}

  Decision Run() {
    for (const Store& store : context_.view.stores()) {
      auto refusal = RefuseRegionTarget(context_, store);
      if (!refusal) refusal = RefuseLowSpace(context_, store);
      if (!refusal) refusal = RefuseSpecialUse(store);
      if (refusal) {
        decision_.Refuse(*std::move(refusal));
      } else {
        targets_.push_back(&store);
      }
    }
    for (const Store* source : Shuffled(Sources())) {
      if (TryFrom(*source)) return std::move(decision_);
    }
    return std::move(decision_);
  }

 private:
  std::vector<const Store*> Sources() {
    std::vector<const Store*> sources;
    for (const Store& store : context_.view.stores()) {
      if (store.state == StoreState::kTombstone) continue;
      if (auto refusal = RefuseRegionSource(context_, store)) {
        decision_.Refuse(*std::move(refusal));
      } else {
        sources.push_back(&store);
      }
    }
    return sources;
  }

  std::vector<const Store*> Shuffled(std::vector<const Store*> stores) {
    for (size_t i = stores.size(); i > 1; --i) std::swap(stores[i - 1], stores[rng_.Below(i)]);
    return stores;
  }

  bool TryFrom(const Store& source) {
    bool any = false;
    for (const ShuffleRole role : config_.roles) {
      const auto region =
          PickRegion(context_, BalancedRegions(source.id, HeldAsOf(role), config_.ranges), rng_,
                     decision_, [&](const Region& candidate) { return Refuse(candidate); });
      if (region && Move(source, *region)) return true;
      any |= region.has_value();
    }
    if (!any) {
      decision_.Refuse({Reason::kNoRegion, source.id, RegionId{}, kDrawsMax, kDrawsMax, {}});
    }
    return false;
  }

  std::optional<Refusal> Refuse(const Region& region) const {
    if (auto refusal = RefuseBusyRegion(context_, region)) return refusal;
    if (auto refusal = RefuseUnhealthyRegion(region)) return refusal;
    if (context_.Fit(region).IsSatisfied()) return {};
    return Refusal{Reason::kRegionNotReplicated, StoreId{}, region.id, 0, 0, {}};
  }

  bool Move(const Store& source, const Region& region) {
    const RegionFit fit = context_.Fit(region);
    for (const Store* target : Shuffled(targets_)) {
      if (region.PeerOnStore(target->id) != nullptr) continue;
      if (!MayReplace(context_.view, fit, source.id, *target)) {
        decision_.Refuse({Reason::kStorePlacement, target->id, region.id, 0, 0, {}});
        continue;
      }
      Peer peer = *region.PeerOnStore(source.id);
      peer.id = {};
      peer.store = target->id;
      Result<Proposal> built = Builder(context_, "shuffle-region", region)
                                   .RemovePeer(source.id)
                                   .AddPeer(peer)
                                   .SetWhy("drawn at random")
                                   .Build(Kind::kRegion, Priority::kLow);
      const bool ok = built.has_value();
      decision_.Take(region.id, std::move(built));
      return ok;
    }
    decision_.Refuse(
        {Reason::kNoTarget, source.id, region.id, 0, static_cast<double>(targets_.size()), {}});
    return false;
  }

  const PlanContext& context_;
  const ShuffleRegionConfig& config_;
  Rng& rng_;
  std::vector<const Store*> targets_;
  Decision decision_;
};

}  // namespace

Decision ShuffleRegion(const PlanContext& context, const ShuffleRegionConfig& config, Rng& rng) {
  return RegionShuffle(context, config, rng).Run();
}

}  // namespace scheduler

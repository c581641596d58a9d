#include "scheduler/checkers/orphan_checker.h"

#include <algorithm>

#include "scheduler/checkers/peer_state.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"

namespace scheduler {
namespace {

class OrphanChecker {
 public:
  OrphanChecker(const PlanContext& context, const Region& region, const RegionFit& fit,
                Decision& decision)
      : context_(context), region_(region), fit_(fit), decision_(decision) {
    for (const RuleFit& rule_fit : fit.rule_fits) {
      wanted_ += rule_fit.rule->count;
      well_ &= rule_fit.IsSatisfied();
      for (const Peer& peer : rule_fit.peers) {
        well_ &= !region.IsPending(peer.id);
        if (leaving_ == nullptr && IsLeaving(peer.store)) leaving_ = &peer;
        if (!region.IsDown(peer.id) && IsConnected(context, peer.store)) continue;
        well_ = false;
        if (lost_ == nullptr && !IsConnected(context, peer.store)) lost_ = &peer;
      }
    }
  }

  void Check() {
    const Peer* gone = lost_ != nullptr ? lost_ : leaving_;
    if (gone != nullptr && UseAsSpare(*gone)) return;
    // The last one is the least healthy.
    if (well_) return Remove(fit_.orphans.back(), "remove-orphan-peer");
    if (fit_.orphans.size() >= 2) RemoveSurplus();
  }

 private:
  [[nodiscard]] bool IsLeaving(StoreId id) const {
    const Store* store = context_.view.FindStore(id);
    return store != nullptr && !store->IsUp();
  }

  void Remove(const Peer& peer, const char* desc) {
    if (auto refusal = RefuseRemoval(context_, region_, peer.store, CopiesWanted(context_, fit_))) {
      return decision_.Refuse(std::move(*refusal));
    }
    decision_.Take(region_.id, Builder(context_, desc, region_)
                                   .RemovePeer(peer.store)
                                   .SetWhy("no rule needs the peer")
                                   .Build(Kind::kNone));
  }

  /// Puts an orphan in the place of a peer that is lost, or has to leave its store: no data moves. Such an orphan is
  /// there when a new leader finds what its predecessor had begun.
  bool UseAsSpare(const Peer& gone) {
    // A copy that has to leave is a healthy one still.
    if (RefuseRemoval(context_, region_, gone.store, CopiesWanted(context_, fit_))) return false;
    for (const Peer& orphan : fit_.orphans) {
      const Store* store = context_.view.FindStore(orphan.store);
      if (orphan.witness || !IsHealthyPeer(region_, orphan) ||
          !IsConnected(context_, orphan.store) || IsLeaving(orphan.store) ||
          !MayReplace(context_.view, fit_, gone.store, *store)) {
        continue;
      }
      const bool same_role = IsLearner(orphan) == IsLearner(gone);
      if (!same_role && IsLearner(gone) && !context_.options.UseJointConsensus()) continue;
      Builder builder(
          context_,
          same_role ? "remove-replaced-orphan-peer" : "replace-down-peer-with-orphan-peer",
          region_);
      builder.RemovePeer(gone.store)
          .SetWhy(&gone == lost_ ? "a spare peer stands in for a lost one"
                                 : "a spare peer stands in for one that has to leave");
      if (!same_role && IsLearner(orphan)) builder.PromoteLearner(orphan.store);
      if (!same_role && !IsLearner(orphan)) builder.DemoteVoter(orphan.store);
      decision_.Take(region_.id, builder.Build(Kind::kNone));
      return !decision_.proposals.empty();
    }
    return false;
  }

  /// One spare peer is enough, but only while there is a store to place another on.
  void RemoveSurplus() {
    for (const Peer& orphan : fit_.orphans) {
      if (!IsHealthyPeer(region_, orphan)) return Remove(orphan, "remove-unhealthy-orphan-peer");
    }
    const auto stores = static_cast<uint64_t>(
        std::ranges::count_if(context_.view.stores(), [](const Store& s) { return s.IsUp(); }));
    if (stores <= wanted_) return;
    const Peer* surplus = &fit_.orphans[1];
    for (size_t i = 1; i < fit_.orphans.size(); ++i) {
      if (!IsConnected(context_, fit_.orphans[i].store)) surplus = &fit_.orphans[i];
    }
    Remove(*surplus, "remove-orphan-peer");
  }

  const PlanContext& context_;
  const Region& region_;
  const RegionFit& fit_;
  Decision& decision_;
  uint64_t wanted_ = 0;         // Peers that all rules together ask for.
  bool well_ = true;            // All rules satisfied by peers that are neither pending nor down.
  const Peer* lost_ = nullptr;  // A fitted peer on a store that is not connected ...
  const Peer* leaving_ = nullptr;  // ... or on one that is being removed.
};

}  // namespace

void CheckOrphans(const PlanContext& context, const Region& region, const RegionFit& fit,
                  Decision& decision) {
  if (!fit.orphans.empty()) OrphanChecker(context, region, fit, decision).Check();
}

}  // namespace scheduler

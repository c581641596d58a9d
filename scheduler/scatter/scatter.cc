#include "scheduler/scatter/scatter.h"

#include "scheduler/scatter/scattering.h"

namespace scheduler {
namespace {

/// By what was picked for the group so far.
class GroupScattering final : public Scattering {
 public:
  using Scattering::Scattering;

  /// The one with the fewest leaders.
  [[nodiscard]] StoreId ChooseLeader() const override {
    StoreId best;
    for (const Peer& peer : PlacedPeers()) {
      if (best && counts().LeadersOn(peer.store) >= counts().LeadersOn(best)) continue;
      if (MayLead(peer)) best = peer.store;
    }
    return best;
  }

 protected:
  [[nodiscard]] bool MayLeave(const Peer& /*peer*/) const override { return true; }
  /// The reference also passes by the stores with the most peers of all; they never have fewer than the peer's own.
  [[nodiscard]] bool IsGain(const Store& from, const Store& to) const override {
    return counts().PeersOn(to.id) < counts().PeersOn(from.id);
  }
  [[nodiscard]] bool IsBetter(const Store& store, const Store& other) const override {
    return counts().PeersOn(store.id) < counts().PeersOn(other.id);
  }
};

}  // namespace

ScatterPlan PlanScatter(const PlanContext& context, const Region& region, const std::string& group,
                        const ScatterCounts& counts, Limits limits) {
  const RegionFit fit = context.Fit(region);
  if (auto settled = SettleScatter(context, region, fit)) return *std::move(settled);
  GroupScattering scattering(context, region, fit, counts);
  scattering.PlacePeers();
  const StoreId leader = scattering.ChooseLeader();
  if (!leader) return RefusedScatter(Reason::kNoTarget, region, "no peer may lead");
  Builder builder(context, "scatter-region", region);
  builder.ForceLeader().SetWhy("group " + group + ", which has picked store " +
                               std::to_string(leader.value) + " for " +
                               std::to_string(counts.LeadersOn(leader)) + " leaders");
  if (limits == Limits::kPassed) builder.LightRemove();
  return PlanPlaces(scattering, leader, group, builder, Kind::kAdmin);
}

void Record(const ScatterPlan& plan, ScatterCounts& counts) {
  counts.Add(plan.stores, plan.leader);
}

}  // namespace scheduler

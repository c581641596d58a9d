#include "scheduler/scatter/split_scatter.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <variant>

#include "scheduler/filters/store_filter.h"
#include "scheduler/model/table_key.h"
#include "scheduler/scatter/scattering.h"

namespace scheduler {
namespace {

enum class LeaderPeer : uint8_t { kMayLeave, kStays };

/// By what the stores really have of the group.
class RealScattering final : public Scattering {
 public:
  RealScattering(const PlanContext& context, const Region& region, const RegionFit& fit,
                 const ScatterCounts& counts, LeaderPeer leader_peer)
      : Scattering(context, region, fit, counts), leader_peer_(leader_peer) {}

  [[nodiscard]] StoreId ChooseLeader() const override {
    const StoreId current = region().leader.store;
    const std::vector<Peer> peers = PlacedPeers();
    const bool stays = std::ranges::find(peers, current, &Peer::store) != peers.end();
    if (stays && IsLeaderStuck()) return current;
    StoreId best;
    for (const Peer& peer : peers) {
      const StoreId store = peer.store;
      if (store == current) continue;
      if (!Shrinks(counts().LeadersOn(current), counts().LeadersOn(store))) continue;
      if (best && LeaderRank(store) >= LeaderRank(best)) continue;
      if (RefuseLeaderTarget(context(), *context().view.FindStore(store))) continue;
      if (MayLead(peer)) best = store;
    }
    return best || !stays ? best : current;
  }

 protected:
  [[nodiscard]] bool MayLeave(const Peer& peer) const override {
    if (peer.store != region().leader.store) return true;
    return leader_peer_ == LeaderPeer::kMayLeave && !IsLeaderStuck();
  }
  [[nodiscard]] bool IsGain(const Store& from, const Store& to) const override {
    return Shrinks(counts().PeersOn(from.id), counts().PeersOn(to.id));
  }
  [[nodiscard]] bool IsBetter(const Store& store, const Store& other) const override {
    const auto rank = [&](const Store& one) {
      return std::make_tuple(counts().PeersOn(one.id), one.counts.regions());
    };
    return rank(store) < rank(other);
  }

 private:
  /// One less here and one more there brings them closer together.
  static bool Shrinks(uint64_t from, uint64_t to) { return from > to + 1; }

  [[nodiscard]] std::tuple<uint64_t, uint64_t> LeaderRank(StoreId store) const {
    return {counts().LeadersOn(store), counts().PeersOn(store)};
  }

  [[nodiscard]] bool IsLeaderStuck() const {
    const Store* store = context().view.FindStore(region().leader.store);
    return store == nullptr || RefuseLeaderSource(context(), *store).has_value();
  }

  const LeaderPeer leader_peer_;
};

/// What is still to come of a plan, seen from where its region's peers are now.
class StillToCome {
 public:
  StillToCome(const Region& region, ScatterCounts& counts) : region_(region), counts_(counts) {}

  void operator()(const AddPeer& step) { Gains(step.store); }
  void operator()(const AddLearner& step) { Gains(step.store); }
  void operator()(const RemovePeer& step) {
    if (region_.PeerOnStore(step.store) != nullptr) counts_.Change(step.store, -1, 0);
  }
  void operator()(const TransferLeader& step) { leader_ = step.to; }
  template <class Other>
  void operator()(const Other& /*step*/) {}

  void End() {
    if (leader_ == region_.leader.store) return;
    counts_.Change(leader_, 0, 1);
    counts_.Change(region_.leader.store, 0, -1);
  }

 private:
  void Gains(StoreId store) {
    if (region_.PeerOnStore(store) == nullptr) counts_.Change(store, 1, 0);
  }

  const Region& region_;
  ScatterCounts& counts_;
  StoreId leader_ = region_.leader.store;
};

bool Overlaps(const Region& region, const KeyRange& range) {
  return (region.end_key.empty() || region.end_key > range.start) &&
         (range.end.empty() || region.start_key < range.end);
}

}  // namespace

SplitScatterGroup GroupOfSplit(RegionId source, RegionId first_new, const KeyRange& range) {
  const std::string prefix = "split-scatter-";
  const std::optional<TableScope> scope = ScopeOfKey(range.start);
  if (!scope) {
    return {prefix + std::to_string(source.value) + "-" + std::to_string(first_new.value), range};
  }
  SplitScatterGroup group{prefix, RangeOfScope(*scope)};
  if (scope->keyspace) group.name += "keyspace-" + std::to_string(*scope->keyspace) + "-";
  group.name += (scope->index ? "index-" : "table-") + std::to_string(scope->table);
  if (scope->index) group.name += "-" + std::to_string(*scope->index);
  if (EndsAfter(range.end, group.range.end)) group.range.end = range.end;
  return group;
}

ScatterCounts CountScattered(const ClusterView& view, const KeyRange& range,
                             const std::vector<Proposal>& running) {
  ScatterCounts counts;
  for (const Store& store : view.stores()) {
    const auto count = [&](HeldAs held_as) {
      return static_cast<int64_t>(view.CountStoreRegions(store.id, held_as, range));
    };
    const int64_t leaders = count(HeldAs::kLeader);
    counts.Change(store.id, leaders + count(HeldAs::kFollower) + count(HeldAs::kLearner), leaders);
  }
  for (const Proposal& plan : running) {
    const std::optional<Region> region = view.FindRegion(plan.region);
    if (!region || !Overlaps(*region, range)) continue;
    StillToCome rest(*region, counts);
    for (const Step& step : plan.steps) std::visit(rest, step);
    rest.End();
  }
  return counts;
}

ScatterPlan PlanSplitScatter(const PlanContext& context, const Region& region,
                             const std::string& group, const ScatterCounts& counts) {
  if (context.IsScheduleDenied(region)) {
    return RefusedScatter(Reason::kRegionScheduleDenied, region);
  }
  const RegionFit fit = context.Fit(region);
  if (auto settled = SettleScatter(context, region, fit)) return *std::move(settled);
  // Where its own peer stays the leader can; so the second round fails only when the leader is none of the peers.
  for (const LeaderPeer leader_peer : {LeaderPeer::kMayLeave, LeaderPeer::kStays}) {
    RealScattering scattering(context, region, fit, counts, leader_peer);
    scattering.PlacePeers();
    const StoreId leader = scattering.ChooseLeader();
    if (!leader) continue;
    Builder builder(context, "split-scatter-region", region);
    builder.SetWhy("group " + group + ", of which store " + std::to_string(leader.value) + " has " +
                   std::to_string(counts.LeadersOn(leader)) + " leaders and " +
                   std::to_string(counts.PeersOn(leader)) + " peers");
    return PlanPlaces(scattering, leader, group, builder, Kind::kSplitScatter);
  }
  return RefusedScatter(Reason::kNoTarget, region, "no peer may lead");
}

}  // namespace scheduler

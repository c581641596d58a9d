#include "scheduler/checkers/better_location.h"

#include <utility>

#include "scheduler/checkers/store_selector.h"
#include "scheduler/operator/builder.h"

namespace scheduler {

bool IsBestSpread(const Rule& rule, size_t count, double isolation_score) {
  double pair = 1;
  for (size_t i = 1; i < rule.location_labels.size(); ++i) pair *= 100;
  const auto peers = static_cast<double>(count);
  return isolation_score >= pair * peers * (peers - 1) / 2;
}

std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const Rule& rule,
                                                 std::span<const Store* const> stores) {
  // With a peer lost, another move would only make it worse.
  if (RefuseRegionMove(region)) return {};
  const Store* old_store = SelectStoreToLeave(context, rule, stores);
  if (old_store == nullptr) return {};
  const bool witness = region.PeerOnStore(old_store->id)->witness;
  const StoreSelector selector(context, region, rule,
                               witness ? NewPeer::kWitness : NewPeer::kWithData);
  Selection selection = selector.ToImprove(stores, *old_store);
  if (selection.store == nullptr && !selection.blocked_for_now) return {};  // As good as it gets.
  return BetterLocation{old_store->id, std::move(selection)};
}

void MoveToBetterLocation(const PlanContext& context, const Region& region, const Rule& rule,
                          std::span<const Store* const> stores, Decision& decision) {
  auto better = FindBetterLocation(context, region, rule, stores);
  if (!better) return;
  Peer peer = *region.PeerOnStore(better->from);
  const StoreSelector selector(context, region, rule,
                               peer.witness ? NewPeer::kWitness : NewPeer::kWithData);
  const Store* target = selector.Take(std::move(better->selection), stores.size(), decision);
  if (target == nullptr) return;
  peer.id = {};
  peer.store = target->id;
  decision.Take(region.id, Builder(context, "move-to-better-location", region)
                               .RemovePeer(better->from)
                               .AddPeer(peer)
                               .SetWhy("the peers of rule " + rule.group_id + "/" + rule.id +
                                       " share a location")
                               .Build(Kind::kReplica));
}

}  // namespace scheduler

#include "scheduler/checkers/better_location.h"

#include <utility>

#include "scheduler/checkers/store_selector.h"
#include "scheduler/operator/builder.h"
#include "scheduler/rules/isolation.h"

namespace scheduler {
namespace {

/// Whether peers on these stores already lie as far apart as can be: no two of them share a value of the widest label.
/// The usual case of a healthy region, and spares it the search.
bool IsBestSpread(const Rule& rule, std::span<const Store* const> stores) {
  double pair = 1;
  for (size_t i = 1; i < rule.location_labels.size(); ++i) pair *= 100;
  const auto peers = static_cast<double>(stores.size());
  return IsolationScore(rule.location_labels, stores) >= pair * peers * (peers - 1) / 2;
}

/// With a peer lost, another move would only make it worse.
bool MayImprove(const Region& region, const Rule& rule, std::span<const Store* const> stores) {
  return !rule.location_labels.empty() && stores.size() > 1 && !IsBestSpread(rule, stores) &&
         !RefuseRegionMove(region);
}

}  // namespace

std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const Rule& rule,
                                                 std::span<const Store* const> stores) {
  if (!MayImprove(region, rule, stores)) return {};
  const Store* old_store = SelectStoreToLeave(context, rule, stores);
  if (old_store == nullptr) return {};
  const StoreSelector selector(context, region, rule,
                               NewPeerLike(region.PeerOnStore(old_store->id)->witness));
  Selection selection = selector.ToImprove(stores, *old_store);
  if (selection.store == nullptr && !selection.blocked_for_now) return {};  // As good as it gets.
  return BetterLocation{old_store->id, std::move(selection)};
}

void MoveToBetterLocation(const PlanContext& context, const Region& region, const Rule& rule,
                          std::span<const Store* const> stores, Decision& decision) {
  auto better = FindBetterLocation(context, region, rule, stores);
  if (!better) {
    const bool waits =
        MayImprove(region, rule, stores) && SelectStoreToLeave(context, rule, stores) == nullptr;
    if (waits) RefuseToLeave(context, stores, decision);
    return;
  }
  Peer peer = *region.PeerOnStore(better->from);
  const StoreSelector selector(context, region, rule, NewPeerLike(peer.witness));
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

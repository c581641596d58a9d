#include "scheduler/checkers/better_location.h"

#include <algorithm>
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

/// One of those that lie worst; see FindBetterLocation().
const Store& WorstLocated(const PlanContext& context, const Rule& rule,
                          std::span<const Store* const> stores, std::vector<Refusal>& held) {
  std::vector<const Store*> worst;
  double lowest = 0;
  for (const Store* store : stores) {
    const double score = DistinctScore(rule.location_labels, stores, *store);
    if (score < lowest) worst.clear();
    if (!worst.empty() && score > lowest) continue;
    lowest = score;
    worst.push_back(store);
  }
  std::vector<const Store*> able;
  for (const Store* store : worst) {
    if (auto refusal = RefuseRegionSource(context, *store)) {
      held.push_back(*std::move(refusal));
    } else {
      able.push_back(store);
    }
  }
  if (!able.empty()) held.clear();
  return **std::ranges::max_element(able.empty() ? worst : able, {}, [&](const Store* store) {
    return context.RegionScore(*store, 0);
  });
}

}  // namespace

std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const Rule& rule,
                                                 std::span<const Store* const> stores) {
  if (!MayImprove(region, rule, stores)) return {};
  BetterLocation better;
  const Store& old_store = WorstLocated(context, rule, stores, better.held);
  const StoreSelector selector(context, region, rule,
                               NewPeerLike(region.PeerOnStore(old_store.id)->witness));
  better.from = old_store.id;
  better.selection = selector.ToImprove(stores, old_store);
  const bool good_as_it_gets =
      better.selection.store == nullptr && !better.selection.blocked_for_now;
  if (good_as_it_gets) return {};
  return better;
}

void MoveToBetterLocation(const PlanContext& context, const Region& region, const Rule& rule,
                          std::span<const Store* const> stores, Decision& decision) {
  auto better = FindBetterLocation(context, region, rule, stores);
  if (!better) return;
  if (!better->held.empty()) {
    for (Refusal& refusal : better->held) decision.Refuse(std::move(refusal));
    decision.look_again_soon = true;
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

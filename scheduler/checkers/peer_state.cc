#include "scheduler/checkers/peer_state.h"

namespace scheduler {

bool IsHealthyPeer(const Region& region, const Peer& peer) {
  return !region.IsPending(peer.id) && !region.IsDown(peer.id);
}

bool IsConnected(const PlanContext& context, StoreId id) {
  const Store* store = context.view.FindStore(id);
  return store != nullptr && !store->IsDisconnected(context.now);
}

bool IsLostPeer(const PlanContext& context, const Region& region, const Peer& peer) {
  if (!region.IsDown(peer.id)) return false;
  const Store* store = context.view.FindStore(peer.store);
  return store == nullptr || store->DownTime(context.now) >= context.options.max_store_down_time;
}

uint64_t CopiesWanted(const PlanContext& context, const RegionFit& fit) {
  uint64_t copies = 0;
  for (const RuleFit& rule_fit : fit.rule_fits) {
    if (!WantsWitness(context, *rule_fit.rule)) copies += rule_fit.rule->count;
  }
  return copies;
}

}  // namespace scheduler

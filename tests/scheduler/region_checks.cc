#include "tests/scheduler/region_checks.h"

#include <algorithm>
#include <set>

namespace scheduler::test {
namespace {

/// A majority of a voter set is alive; `old_set`: the voters before a joint change, else those after it.
bool HasMajority(const World& world, const Region& region, bool old_set) {
  int voters = 0;
  int alive = 0;
  for (const Peer& peer : region.peers) {
    const PeerRole only_new = old_set ? PeerRole::kIncomingVoter : PeerRole::kDemotingVoter;
    if (IsLearner(peer) || peer.role == only_new) continue;
    ++voters;
    if (IsAlive(world, peer.store) && !region.IsDown(peer.id)) ++alive;
  }
  return alive * 2 > voters;
}

}  // namespace

bool IsAlive(const World& world, StoreId id) {
  const Store* store = world.FindStore(id);
  return store != nullptr && store->state != StoreState::kTombstone &&
         !store->IsDisconnected(world.now);
}

bool HasQuorum(const World& world, const Region& region) {
  return HasMajority(world, region, true) && HasMajority(world, region, false);
}

bool TwoOnOneStore(const Region& region) {
  std::set<StoreId> stores;
  return !std::ranges::all_of(region.peers,
                              [&](const Peer& peer) { return stores.insert(peer.store).second; });
}

}  // namespace scheduler::test

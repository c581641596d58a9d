#include "tests/scheduler/world.h"

#include <algorithm>

namespace scheduler::test {
namespace {

struct Apply {
  Region& region;

  void operator()(const TransferLeader& step) const {
    const Peer* peer = region.PeerOnStore(step.to);
    if (peer != nullptr) region.leader = *peer;
  }
  void operator()(const AddPeer& step) const {
    Add({step.peer, step.store, PeerRole::kVoter, step.witness});
  }
  void operator()(const AddLearner& step) const {
    Add({step.peer, step.store, PeerRole::kLearner, step.witness});
  }
  void operator()(const PromoteLearner& step) const { SetRole(step.store, PeerRole::kVoter, 1); }
  void operator()(const RemovePeer& step) const {
    const Peer gone = *region.PeerOnStore(step.store);
    std::erase_if(region.peers, [&](const Peer& p) { return p.id == gone.id; });
    std::erase_if(region.pending_peers, [&](const Peer& p) { return p.id == gone.id; });
    std::erase_if(region.down_peers, [&](const DownPeer& p) { return p.peer.id == gone.id; });
    region.epoch.conf_ver += 1;
  }
  void operator()(const ChangePeerV2Enter& step) const {
    // One change alone is applied directly, without a joint state.
    const bool joint = step.promotes.size() + step.demotes.size() > 1;
    for (const auto& p : step.promotes) {
      SetRole(p.store, joint ? PeerRole::kIncomingVoter : PeerRole::kVoter, 1);
    }
    for (const auto& d : step.demotes) {
      SetRole(d.store, joint ? PeerRole::kDemotingVoter : PeerRole::kLearner, 1);
    }
  }
  void operator()(const ChangePeerV2Leave& step) const {
    for (const auto& p : step.promotes) SetRole(p.store, PeerRole::kVoter, 1);
    for (const auto& d : step.demotes) SetRole(d.store, PeerRole::kLearner, 1);
  }
  void operator()(const BatchSwitchWitness& step) const {
    for (const WitnessSwitch& one : step.switches) {
      for (Peer& peer : region.peers) {
        if (peer.store != one.store) continue;
        peer.witness = one.witness;
        if (peer.id == region.leader.id) region.leader = peer;
        std::erase_if(region.pending_peers, [&](const Peer& p) { return p.id == one.peer; });
      }
    }
    region.epoch.conf_ver += step.switches.size();
  }
  template <class Other>
  void operator()(const Other&) const {}

  void Add(const Peer& peer) const {
    region.peers.push_back(peer);
    region.epoch.conf_ver += 1;
  }
  void SetRole(StoreId store, PeerRole role, uint64_t conf_ver) const {
    for (Peer& peer : region.peers) {
      if (peer.store == store) peer.role = role;
      if (peer.id == region.leader.id) region.leader = peer;
    }
    region.epoch.conf_ver += conf_ver;
  }
};

}  // namespace

Store& World::AddStore(uint64_t id) {
  Store store;
  store.id = {id};
  store.node_state = NodeState::kServing;
  store.last_heartbeat = now;
  store.has_stats = true;
  store.stats.capacity_bytes = 1000ULL << 30;
  store.stats.available_bytes = 900ULL << 30;
  store.smoothed_available_bytes = static_cast<double>(store.stats.available_bytes);
  const auto at = std::ranges::lower_bound(stores_, store.id, {}, &Store::id);
  return *stores_.insert(at, store);
}

Store* World::MutableStore(uint64_t id) {
  const auto it = std::ranges::find(stores_, StoreId{id}, &Store::id);
  return it == stores_.end() ? nullptr : &*it;
}

void World::PutRegion(const Region& region) { index_.Put(region); }

void World::SetCounts(uint64_t store, const StoreCounts& counts) {
  fixed_counts_[StoreId{store}] = counts;
}

void World::Refresh() {
  for (Store& store : stores_) {
    const auto fixed = fixed_counts_.find(store.id);
    store.counts = fixed == fixed_counts_.end() ? index_.SumsOf(store.id).counts : fixed->second;
  }
}

const Store* World::FindStore(StoreId id) const {
  const auto it = std::ranges::lower_bound(stores_, id, {}, &Store::id);
  return it == stores_.end() || it->id != id ? nullptr : &*it;
}

std::optional<Region> World::FindRegion(RegionId id) const { return index_.Find(id); }
std::optional<Region> World::FindRegionByKey(std::string_view key) const {
  return index_.FindByKey(key);
}
std::optional<Region> World::PreviousRegion(const Region& region) const {
  return index_.Previous(region);
}
std::optional<Region> World::NextRegion(const Region& region) const { return index_.Next(region); }
std::vector<Region> World::ScanRegions(const KeyRange& range, size_t limit_max) const {
  return index_.Scan(range, limit_max);
}
std::optional<Region> World::RandomRegion(StoreId store, HeldAs held_as,
                                          std::span<const KeyRange> ranges, Rng& rng) const {
  return index_.Random(store, held_as, ranges, rng);
}
std::optional<Region> World::RandomRegion(std::span<const KeyRange> ranges, Rng& rng) const {
  return index_.Random(ranges, rng);
}
uint64_t World::CountRegions(const KeyRange& range) const { return index_.Count(range); }
uint64_t World::CountStoreRegions(StoreId store, HeldAs held_as, const KeyRange& range) const {
  return index_.CountStore(store, held_as, range);
}
std::optional<Instant> World::LastSplit(RegionId id) const {
  const auto it = splits.find(id);
  if (it == splits.end()) return {};
  return it->second;
}
std::optional<Instant> World::LastMerge(RegionId id) const {
  const auto it = merges.find(id);
  if (it == merges.end()) return {};
  return it->second;
}

std::vector<HotPeer> World::HotPeersOf(const Region& region, const RegionLoad& load,
                                       Access access) {
  const Load& rate = access == Access::kRead ? load.read : load.write;
  std::vector<HotPeer> peers;
  if (rate == Load{}) return peers;
  const StoreId read_from = load.read_from.value_or(region.leader.store);
  std::vector<StoreId> stores;
  for (const Peer& peer : region.peers) stores.push_back(peer.store);
  for (const StoreId store : stores) {
    if (access == Access::kRead && store != read_from) continue;
    HotPeer peer;
    peer.region = region.id;
    peer.store = store;
    peer.leads = store == region.leader.store;
    peer.stores = stores;
    peer.load = rate;
    peer.leader_moved = load.leader_moved;
    peers.push_back(peer);
  }
  return peers;
}

std::vector<HotPeer> World::HotPeers(Access access, StoreId store) const {
  std::vector<HotPeer> peers;
  for (const auto& [id, load] : region_loads) {
    const auto region = FindRegion(id);
    if (!region) continue;
    for (const HotPeer& peer : HotPeersOf(*region, load, access)) {
      if (peer.store == store) peers.push_back(peer);
    }
  }
  return peers;
}

StoreLoads World::LoadsOf(StoreId store) const {
  if (!measured) return TrueLoadsOf(store);
  const auto known = measured->find(store);
  return known == measured->end() ? StoreLoads{} : known->second;
}

StoreLoads World::TrueLoadsOf(StoreId store) const {
  StoreLoads sum;
  if (const auto known = loads.find(store); known != loads.end()) sum = known->second;
  for (const HotPeer& peer : HotPeers(Access::kRead, store)) sum.read += peer.load;
  for (const HotPeer& peer : HotPeers(Access::kWrite, store)) {
    // Only leaders serve queries.
    Load load = peer.load;
    if (!peer.leads) load[LoadDim::kQuery] = 0;
    sum.write += load;
    sum.regions_write += load;
  }
  return sum;
}

std::vector<HotBucket> World::HotBucketsOf(const Region& region) const {
  const auto known = buckets.find(region.id);
  return known == buckets.end() ? std::vector<HotBucket>() : known->second;
}

uint64_t World::AverageRegionSizeMib() const {
  if (average_size_mib_) return *average_size_mib_;
  return index_.size() == 0 ? 0 : index_.total_size_mib() / index_.size();
}

Region Applied(const Region& region, const Step& step) {
  Region after = region;
  std::visit(Apply{after}, step);
  return after;
}

void Afflict(const World& world, Store& store, Trouble trouble) {
  switch (trouble) {
    case Trouble::kLeaves:
      store.state = StoreState::kOffline;
      store.node_state = NodeState::kRemoving;
      return;
    case Trouble::kDown:
      store.last_heartbeat = world.now - Seconds{3600};
      return;
    case Trouble::kDisconnected:
      store.last_heartbeat = world.now - Seconds{60};
      return;
    case Trouble::kBusy:
      store.stats.busy = true;
      return;
    case Trouble::kTakesNoLeaders:
      store.pauses.leader_transfer_in = 1;
      return;
    case Trouble::kAddLimit:
      store.room.add_peer = 0;
      return;
    case Trouble::kBuried:
      store.state = StoreState::kTombstone;
      store.node_state = NodeState::kRemoved;
      return;
    case Trouble::kNone:
      return;
  }
}

}  // namespace scheduler::test

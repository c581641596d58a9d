#include "tests/storesim/world.h"

#include <algorithm>
#include <utility>

namespace storesim {
namespace {

bool IsVoter(Role role) { return role == Role::kVoter || role == Role::kIncomingVoter; }

void Add(Load& sum, const Load& load) {
  sum.write_bytes_per_s += load.write_bytes_per_s;
  sum.read_bytes_per_s += load.read_bytes_per_s;
}

int64_t TransferMs(uint64_t bytes, uint64_t bytes_per_s) {
  return static_cast<int64_t>((bytes * 1000 + bytes_per_s - 1) / bytes_per_s);
}

}  // namespace

const Peer* Region::PeerOn(uint64_t store_id) const {
  for (const Peer& peer : peers) {
    if (peer.store_id == store_id) return &peer;
  }
  return nullptr;
}

Peer* Region::PeerOn(uint64_t store_id) {
  return const_cast<Peer*>(std::as_const(*this).PeerOn(store_id));
}

World::World(const Timing& timing, uint64_t seed) : timing_(timing), rng_(seed) {}

Store& World::AddStore(Store store) {
  const uint64_t id = store.id;
  return stores_[id] = std::move(store);
}

void World::AddRegion(Region region) {
  for (const Peer& peer : region.peers) {
    Store& store = stores_.at(peer.store_id);
    ++store.peers;
    if (peer.pending) ++store.pending;
    store.used_bytes += region.size_bytes;
  }
  ++stores_.at(region.leader_store).leaders;
  const uint64_t id = region.id;
  regions_.emplace(id, std::move(region));
}

const Store* World::StoreOf(uint64_t id) const {
  const auto found = stores_.find(id);
  return found == stores_.end() ? nullptr : &found->second;
}

void World::Schedule(int64_t at_ms, Happening what) {
  if (!std::holds_alternative<Election>(what)) ++running_;
  due_.emplace(std::pair(at_ms, ++order_), std::move(what));
}

std::optional<int64_t> World::next_due_ms() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first.first;
}

std::vector<uint64_t> World::TakeChanged() { return std::exchange(changed_, {}); }

void World::Apply(int64_t now_ms, uint64_t from_store, const StepRequest& request) {
  const auto found = regions_.find(request.region_id);
  if (found == regions_.end()) return;
  Region& region = found->second;
  if (region.changing || region.leader_store != from_store || region.conf_ver != request.conf_ver ||
      region.version != request.version) {
    ++counters_.ignored_steps;
    return;
  }
  region.changing = true;
  const bool transfer = std::holds_alternative<MoveLeader>(request.step);
  Schedule(
      now_ms + (transfer ? timing_.transfer_leader_ms : timing_.conf_change_ms),
      FinishStep{region.id, region.leader_store, region.conf_ver, region.version, request.step});
}

void World::Advance(int64_t now_ms) {
  while (!due_.empty() && due_.begin()->first.first <= now_ms) {
    const auto due = due_.extract(due_.begin());
    const int64_t at_ms = due.key().first;
    if (!std::holds_alternative<Election>(due.mapped())) --running_;
    std::visit([&](const auto& what) { Finish(at_ms, what); }, due.mapped());
  }
}

void World::Finish(int64_t now_ms, const FinishStep& finish) {
  const auto found = regions_.find(finish.region_id);
  if (found == regions_.end()) return;  // Merged meanwhile, as below.
  Region& region = found->second;
  region.changing = false;
  const bool same_leader = region.leader_store == finish.leader_store;
  if (!same_leader || region.conf_ver != finish.conf_ver || region.version != finish.version ||
      !HasQuorum(region)) {
    return;
  }
  bool done = false;
  if (const auto* move = std::get_if<MoveLeader>(&finish.step)) {
    done = FinishTransfer(region, *move);
  } else if (const auto* split = std::get_if<SplitAt>(&finish.step)) {
    done = FinishSplit(region, *split);
  } else if (const auto* merge = std::get_if<MergeInto>(&finish.step)) {
    if (!FinishMerge(region, *merge)) ++counters_.ignored_steps;
    return;  // It is the target that has something to report.
  } else {
    done = FinishChange(now_ms, region, std::get<ChangePeers>(finish.step));
  }
  if (done) {
    changed_.push_back(region.id);
  } else {
    ++counters_.ignored_steps;
  }
}

bool World::FinishTransfer(Region& region, const MoveLeader& move) {
  for (const uint64_t target : move.to_stores) {
    const Peer* peer = region.PeerOn(target);
    const Store* store = StoreOf(target);
    if (peer == nullptr || store == nullptr || !store->up || peer->pending ||
        !IsVoter(peer->role)) {
      continue;
    }
    if (target == region.leader_store) return true;
    SetLeader(region, target);
    Count("transfer_leader");
    return true;
  }
  return false;
}

// The parts share size and load; the region keeps the last one (as in TiKV). Peers that wait for their data put it off.
bool World::FinishSplit(Region& region, const SplitAt& split) {
  const bool waits = std::any_of(region.peers.begin(), region.peers.end(),
                                 [](const Peer& peer) { return peer.pending; });
  if (waits || split.keys.empty() || split.keys.size() != split.ids.size()) return false;
  std::string last = region.start_key;
  for (size_t i = 0; i < split.keys.size(); ++i) {
    const std::string& key = split.keys[i];
    const bool inside = key > last && (region.end_key.empty() || key < region.end_key);
    if (!inside || split.ids[i].peer_ids.size() != region.peers.size()) return false;
    last = key;
  }
  const uint64_t parts = split.keys.size() + 1;
  for (const Peer& peer : region.peers) {
    stores_.at(peer.store_id).used_bytes -= region.size_bytes - region.size_bytes / parts;
  }
  region.size_bytes /= parts;
  region.keys /= parts;
  for (Load* load : {&region.load, &region.usual_load}) {
    load->write_bytes_per_s /= parts;
    load->read_bytes_per_s /= parts;
  }
  region.version += split.keys.size();
  for (size_t i = 0; i < split.keys.size(); ++i) {
    Region part = region;
    part.id = split.ids[i].region_id;
    part.end_key = split.keys[i];
    part.reported_ms = 0;
    for (size_t peer = 0; peer < part.peers.size(); ++peer) {
      part.peers[peer].id = split.ids[i].peer_ids[peer];
    }
    region.start_key = split.keys[i];
    changed_.push_back(part.id);
    AddRegion(std::move(part));
  }
  Count("split");
  return true;
}

// Both stand still, on the same stores in the same roles with all their data (as in TiKV). The joint region's version
// is above both; the source is gone.
bool World::FinishMerge(Region& source, const MergeInto& merge) {
  const auto found = regions_.find(merge.region_id);
  if (found == regions_.end()) return false;
  Region& target = found->second;
  const bool same = target.conf_ver == merge.conf_ver && target.version == merge.version;
  const bool still = !target.changing && target.leader_store != 0 && HasQuorum(target);
  const bool before = !source.end_key.empty() && source.end_key == target.start_key;
  const bool behind = !target.end_key.empty() && target.end_key == source.start_key;
  const auto matches = [&](const Peer& peer) {
    const Peer* other = source.PeerOn(peer.store_id);
    return other != nullptr && other->role == peer.role && !other->pending && !peer.pending;
  };
  if (!same || !still || before == behind || target.peers.size() != source.peers.size() ||
      !std::all_of(target.peers.begin(), target.peers.end(), matches)) {
    return false;
  }
  if (before) target.start_key = source.start_key;
  if (behind) target.end_key = source.end_key;
  target.version = std::max(target.version, source.version) + 1;
  target.size_bytes += source.size_bytes;
  target.keys += source.keys;
  Add(target.load, source.load);
  Add(target.usual_load, source.usual_load);
  SetLeader(source, 0);
  for (const Peer& peer : source.peers) --stores_.at(peer.store_id).peers;
  changed_.push_back(target.id);
  regions_.erase(source.id);
  Count("merge");
  return true;
}

bool World::IsInJoint(const Region& region) {
  return std::any_of(region.peers.begin(), region.peers.end(), [](const Peer& peer) {
    return peer.role == Role::kIncomingVoter || peer.role == Role::kDemotingVoter;
  });
}

bool World::FinishChange(int64_t now_ms, Region& region, const ChangePeers& change) {
  if (change.changes.empty()) {
    if (!IsInJoint(region)) return false;
    LeaveJoint(region);
    return true;
  }
  if (IsInJoint(region)) return false;
  const bool joint = change.changes.size() > 1;
  for (const PeerChange& one : change.changes) {
    if (!Possible(region, one, joint)) return false;
  }
  for (const PeerChange& one : change.changes) ChangeOne(now_ms, region, one, joint);
  region.conf_ver += change.changes.size();
  if (joint) Count("enter_joint");
  return true;
}

// The peers that stay get their final role; each of them counts as one change (as in TiKV).
void World::LeaveJoint(Region& region) {
  for (Peer& peer : region.peers) {
    if (peer.role != Role::kIncomingVoter && peer.role != Role::kDemotingVoter) continue;
    peer.role = peer.role == Role::kIncomingVoter ? Role::kVoter : Role::kLearner;
    ++region.conf_ver;
  }
  Count("leave_joint");
  const Peer* leader = region.PeerOn(region.leader_store);
  if (leader != nullptr && leader->role == Role::kVoter) return;
  for (const Peer& peer : region.peers) {
    if (peer.role != Role::kVoter || peer.pending || !stores_.at(peer.store_id).up) continue;
    SetLeader(region, peer.store_id);
    return;
  }
}

bool World::Possible(const Region& region, const PeerChange& change, bool joint) const {
  const Peer* there = region.PeerOn(change.peer.store_id);
  if (there != nullptr && there->id != change.peer.id) return false;
  const bool leads = there != nullptr && there->store_id == region.leader_store;
  switch (change.kind) {
    case PeerChange::Kind::kAddVoter:
      return there == nullptr ? StoreOf(change.peer.store_id) != nullptr
                              : there->role == Role::kLearner;
    case PeerChange::Kind::kAddLearner:
      if (there == nullptr) return StoreOf(change.peer.store_id) != nullptr;
      return there->role == Role::kVoter && (joint || !leads);
    case PeerChange::Kind::kRemove:
      // A leader does not remove itself, and voters leave a joint change only by way of a demotion.
      return there != nullptr && !leads && !(joint && there->role == Role::kVoter);
  }
  return false;
}

void World::ChangeOne(int64_t now_ms, Region& region, const PeerChange& change, bool joint) {
  Peer* there = region.PeerOn(change.peer.store_id);
  if (change.kind == PeerChange::Kind::kRemove) {
    ErasePeer(region, change.peer.store_id);
    Count("remove_peer");
  } else if (there == nullptr) {
    AddPeer(now_ms, region, change, joint);
  } else if (change.kind == PeerChange::Kind::kAddVoter) {
    there->role = joint ? Role::kIncomingVoter : Role::kVoter;
    Count("promote_learner");
  } else {
    there->role = joint ? Role::kDemotingVoter : Role::kLearner;
    Count("demote_voter");
  }
}

void World::AddPeer(int64_t now_ms, Region& region, const PeerChange& change, bool joint) {
  const bool voter = change.kind == PeerChange::Kind::kAddVoter;
  Store& store = stores_.at(change.peer.store_id);
  Peer peer = change.peer;
  peer.role = !voter ? Role::kLearner : joint ? Role::kIncomingVoter : Role::kVoter;
  peer.pending = true;
  region.peers.push_back(peer);
  ++store.peers;
  ++store.pending;
  store.used_bytes += region.size_bytes;
  Count(voter ? "add_voter" : "add_learner");
  SendMissing(now_ms, region);
}

void World::SendMissing(int64_t now_ms, Region& region) {
  if (region.leader_store == 0 || !stores_.at(region.leader_store).up) return;
  for (Peer& peer : region.peers) {
    if (peer.pending && !peer.awaits && stores_.at(peer.store_id).up) {
      SendSnapshot(now_ms, region, peer);
    }
  }
}

void World::SendSnapshot(int64_t now_ms, const Region& region, Peer& peer) {
  Store& from = stores_.at(region.leader_store);
  Store& to = stores_.at(peer.store_id);
  from.send_free_ms =
      std::max(now_ms, from.send_free_ms) + TransferMs(region.size_bytes, from.io_bytes_per_s);
  to.receive_free_ms =
      std::max(now_ms, to.receive_free_ms) + TransferMs(region.size_bytes, to.io_bytes_per_s);
  ++from.sending;
  ++to.receiving;
  peer.awaits = true;
  Schedule(std::max(from.send_free_ms, to.receive_free_ms),
           SnapshotArrives{region.id, peer.id, from.id, to.id});
}

void World::Finish(int64_t /*now_ms*/, const SnapshotArrives& arrival) {
  --stores_.at(arrival.from_store).sending;
  Store& to = stores_.at(arrival.to_store);
  --to.receiving;
  const auto found = regions_.find(arrival.region_id);
  if (found == regions_.end()) return;  // A merged one has no peer that waits.
  Region& region = found->second;
  Peer* peer = region.PeerOn(arrival.to_store);
  if (peer == nullptr || peer->id != arrival.peer_id || !peer->pending) return;
  peer->awaits = false;
  if (region.leader_store == 0)
    return;  // Nobody tells the peer what follows: the next leader sends it again.
  peer->pending = false;
  --to.pending;
  ++counters_.snapshots;
  counters_.bytes_moved += region.size_bytes;
  changed_.push_back(region.id);
}

void World::Kill(int64_t now_ms, uint64_t store_id) {
  Store& store = stores_.at(store_id);
  if (!store.up) return;
  store.up = false;
  store.down_since_ms = now_ms;
  LoseSnapshots(now_ms, store_id);
  std::uniform_int_distribution<int64_t> delay(timing_.election_ms, 2 * timing_.election_ms);
  for (auto& [id, region] : regions_) {
    if (region.leader_store == store_id) Schedule(now_ms + delay(rng_), Election{id});
  }
}

void World::LoseSnapshots(int64_t now_ms, uint64_t store_id) {
  for (auto it = due_.begin(); it != due_.end();) {
    const auto* arrival = std::get_if<SnapshotArrives>(&it->second);
    if (arrival == nullptr || (arrival->from_store != store_id && arrival->to_store != store_id)) {
      ++it;
      continue;
    }
    const SnapshotArrives lost = *arrival;
    it = due_.erase(it);
    --running_;
    --stores_.at(lost.from_store).sending;
    --stores_.at(lost.to_store).receiving;
    const auto found = regions_.find(lost.region_id);
    if (found == regions_.end()) continue;
    Region& region = found->second;
    Peer* peer = region.PeerOn(lost.to_store);
    if (peer == nullptr || peer->id != lost.peer_id) continue;
    peer->awaits = false;
    SendMissing(now_ms, region);  // Somebody else may lead by now.
  }
}

void World::Revive(int64_t now_ms, uint64_t store_id) {
  Store& store = stores_.at(store_id);
  if (store.up) return;
  store.up = true;
  store.started_ms = now_ms;
  for (auto& [id, region] : regions_) {
    if (region.PeerOn(store_id) == nullptr) continue;
    if (region.leader_store == 0) Schedule(now_ms + timing_.election_ms, Election{id});
    SendMissing(now_ms, region);
    changed_.push_back(id);
  }
}

void World::Finish(int64_t now_ms, const Election& election) {
  const auto found = regions_.find(election.region_id);
  if (found == regions_.end()) return;
  Region& region = found->second;
  const bool led = region.leader_store != 0 && stores_.at(region.leader_store).up;
  if (led) return;
  if (region.leader_store != 0) SetLeader(region, 0);
  if (!HasQuorum(region)) return;
  std::vector<uint64_t> candidates;
  for (const Peer& peer : region.peers) {
    if (IsVoter(peer.role) && !peer.pending && stores_.at(peer.store_id).up) {
      candidates.push_back(peer.store_id);
    }
  }
  if (candidates.empty()) return;
  SetLeader(region, candidates[rng_() % candidates.size()]);
  changed_.push_back(region.id);
  SendMissing(now_ms, region);
}

void World::SetLeader(Region& region, uint64_t store_id) {
  if (region.leader_store != 0) --stores_.at(region.leader_store).leaders;
  region.leader_store = store_id;
  if (store_id == 0) return;
  ++stores_.at(store_id).leaders;
  ++region.term;
}

void World::ErasePeer(Region& region, uint64_t store_id) {
  Store& store = stores_.at(store_id);
  const Peer* peer = region.PeerOn(store_id);
  if (peer == nullptr) return;
  --store.peers;
  if (peer->pending) --store.pending;
  store.used_bytes -= region.size_bytes;
  std::erase_if(region.peers, [&](const Peer& one) { return one.store_id == store_id; });
}

bool World::HasQuorum(const Region& region) const {
  size_t voters = 0;
  size_t alive = 0;
  for (const Peer& peer : region.peers) {
    if (peer.role == Role::kLearner) continue;
    ++voters;
    if (!peer.pending && stores_.at(peer.store_id).up) ++alive;
  }
  return alive > voters / 2;
}

int64_t World::ShortOfReplicas(int replicas) const {
  int64_t count = 0;
  for (const auto& [id, region] : regions_) {
    const auto healthy =
        std::count_if(region.peers.begin(), region.peers.end(), [&](const Peer& peer) {
          return peer.role != Role::kLearner && !peer.pending && stores_.at(peer.store_id).up;
        });
    if (healthy < replicas) ++count;
  }
  return count;
}

}  // namespace storesim

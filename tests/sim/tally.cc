#include "tests/sim/tally.h"

#include <algorithm>
#include <limits>
#include <variant>

#include "tests/sim/least_by_load.h"

namespace sim {
namespace {

constexpr int64_t kBackAndForthMs = 60LL * 60 * 1000;

}  // namespace

void Tally::NoteStore(const storesim::Store& store) {
  first_[store.id] = {store.leaders, store.peers, static_cast<int64_t>(store.used_bytes)};
}

void Tally::NoteRegion(const storesim::Region& region) {
  if (alike_by_.empty() && hot_within_ == 0) return;
  std::vector<uint64_t>& places = places_[region.id];
  places = {region.leader_store};
  for (const storesim::Peer& peer : region.peers) places.push_back(peer.store_id);
}

void Tally::NoteNewRegion(uint64_t size_bytes, const std::vector<uint64_t>& places) {
  for (const uint64_t place : places) {
    State& state = first_[place];
    ++state.peers;
    state.bytes += static_cast<int64_t>(size_bytes);
  }
  ++first_[places.front()].leaders;
}

void Tally::NoteElected(uint64_t from_store, uint64_t to_store) {
  --first_[from_store].leaders;
  ++first_[to_store].leaders;
}

void Tally::NoteBack(std::map<Place, int64_t>& left, const Place& place, int64_t now_ms) {
  const auto found = left.find(place);
  if (found != left.end() && now_ms - found->second < kBackAndForthMs) ++back_;
}

void Tally::NoteStep(const storesim::Region& region, const storesim::Step& step, int64_t now_ms) {
  if (const auto* move = std::get_if<storesim::MoveLeader>(&step)) {
    if (move->to_stores.empty()) return;
    NoteBack(led_, {region.id, move->to_stores.front()}, now_ms);
    led_[{region.id, region.leader_store}] = now_ms;
    return;
  }
  const auto* changes = std::get_if<storesim::ChangePeers>(&step);
  if (changes == nullptr) return;
  for (const storesim::PeerChange& change : changes->changes) {
    const Place place(region.id, change.peer.store_id);
    if (change.kind == storesim::PeerChange::Kind::kRemove) {
      left_[place] = now_ms;
    } else if (region.PeerOn(change.peer.store_id) == nullptr) {
      NoteBack(left_, place, now_ms);
    }
  }
}

Moves Tally::MovesTo(const storesim::World& world) const {
  Moves moves;
  const auto count = [&](const char* type) {
    const auto found = world.counters().moves.find(type);
    return found == world.counters().moves.end() ? 0 : found->second;
  };
  moves.leaders = count("transfer_leader");
  moves.peers = count("add_learner") + count("add_voter");
  moves.bytes = world.counters().bytes_moved;
  moves.back = back_;
  moves.leaders_least = least_.leaders_least;
  moves.peers_least = least_.peers_least;
  moves.bytes_least = least_.bytes_least;
  AddLeast(world, moves);
  return moves;
}

void Tally::NoteCause(const storesim::World& world) {
  left_.clear();
  led_.clear();
  AddLeast(world, least_);
  for (const auto& entry : world.stores()) NoteStore(entry.second);
  for (const auto& entry : world.regions()) NoteRegion(entry.second);
}

void Tally::AddLeastByClass(const storesim::World& world, Moves& moves) const {
  std::map<std::pair<std::string, uint64_t>, State> gains;
  for (const auto& [id, region] : world.regions()) {
    const auto found = places_.find(id);
    if (found == places_.end() || region.leader_store == 0) continue;
    const auto& labels = world.stores().at(region.leader_store).labels;
    const auto label = labels.find(alike_by_);
    const std::string name = label == labels.end() ? "" : label->second;
    const auto bytes = static_cast<int64_t>(region.size_bytes);
    const std::vector<uint64_t>& before = found->second;
    --gains[{name, before.front()}].leaders;
    ++gains[{name, region.leader_store}].leaders;
    for (size_t i = 1; i < before.size(); ++i) {
      State& state = gains[{name, before[i]}];
      --state.peers;
      state.bytes -= bytes;
    }
    for (const storesim::Peer& peer : region.peers) {
      State& state = gains[{name, peer.store_id}];
      ++state.peers;
      state.bytes += bytes;
    }
  }
  for (const auto& [place, gain] : gains) {
    moves.leaders_least += std::max<int64_t>(0, gain.leaders);
    moves.peers_least += std::max<int64_t>(0, gain.peers);
    moves.bytes_least += static_cast<uint64_t>(std::max<int64_t>(0, gain.bytes));
  }
}

void Tally::AddLeast(const storesim::World& world, Moves& moves) const {
  if (!alike_by_.empty()) return AddLeastByClass(world, moves);
  Moves due;
  for (const auto& [id, store] : world.stores()) {
    const auto found = first_.find(id);
    const State before = found == first_.end() ? State() : found->second;
    due.leaders_least += std::max<int64_t>(0, store.leaders - before.leaders);
    due.peers_least += std::max<int64_t>(0, store.peers - before.peers);
    const int64_t bytes = static_cast<int64_t>(store.used_bytes) - before.bytes;
    due.bytes_least += static_cast<uint64_t>(std::max<int64_t>(0, bytes));
  }
  if (hot_within_ > 0) RaiseLeastByLoad(world, due);
  moves.leaders_least += due.leaders_least;
  moves.peers_least += due.peers_least;
  moves.bytes_least += due.bytes_least;
}

void Tally::RaiseLeastByLoad(const storesim::World& world, Moves& moves) const {
  Loads leaders;
  Loads leaders_then;
  Loads peers;
  Loads peers_then;
  for (const auto& entry : world.stores()) {
    for (Loads* loads : {&leaders, &leaders_then, &peers, &peers_then}) (*loads)[entry.first];
  }
  uint64_t smallest = std::numeric_limits<uint64_t>::max();
  for (const auto& [id, places] : places_) {
    const auto found = world.regions().find(id);
    if (found == world.regions().end() || found->second.leader_store == 0) continue;
    const storesim::Region& region = found->second;
    const auto written = static_cast<double>(region.load.write_bytes_per_s);
    const auto led = written + static_cast<double>(region.load.read_bytes_per_s);
    leaders[places.front()].push_back(led);
    leaders_then[region.leader_store].push_back(led);
    for (size_t i = 1; i < places.size(); ++i) peers[places[i]].push_back(written);
    for (const storesim::Peer& peer : region.peers) peers_then[peer.store_id].push_back(written);
    if (written > 0) smallest = std::min(smallest, region.size_bytes);
  }
  moves.leaders_least =
      std::max(moves.leaders_least, LeastByLoad(leaders, leaders_then, hot_within_));
  const int64_t moved = LeastByLoad(peers, peers_then, hot_within_);
  if (moved <= moves.peers_least) return;
  moves.peers_least = moved;
  moves.bytes_least = std::max(moves.bytes_least, static_cast<uint64_t>(moved) * smallest);
}

}  // namespace sim

#include "tests/sim/tally.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <variant>

namespace sim {
namespace {

constexpr int64_t kBackAndForthMs = 60LL * 60 * 1000;

/// By store, the load of each leader or peer.
using Loads = std::map<uint64_t, std::vector<double>>;

/// How many of `items`, which are in falling order, are needed for a sum.
int64_t CountFor(const std::vector<double>& items, double wanted) {
  int64_t count = 0;
  for (const double item : items) {
    if (wanted <= 0 || item <= 0) break;
    wanted -= item;
    ++count;
  }
  return count;
}

double MeanOf(const Loads& loads) {
  double sum = 0;
  for (const auto& [store, items] : loads) sum = std::accumulate(items.begin(), items.end(), sum);
  return sum / static_cast<double>(loads.size());
}

/// Of a store from the mean, as a part of it.
double FarthestOf(const Loads& loads) {
  const double mean = MeanOf(loads);
  double farthest = 0;
  for (const auto& [store, items] : loads) {
    const double load = std::accumulate(items.begin(), items.end(), 0.0);
    if (mean > 0) farthest = std::max(farthest, std::abs(load - mean) / mean);
  }
  return farthest;
}

/// The fewest that have to go from, or come to, stores until each is within `within` of the mean.
int64_t LeastByLoad(Loads loads, double within) {
  std::vector<double> all;
  for (auto& [store, items] : loads) {
    std::ranges::sort(items, std::greater());
    all.insert(all.end(), items.begin(), items.end());
  }
  std::ranges::sort(all, std::greater());
  const double mean = MeanOf(loads);
  int64_t go = 0;
  int64_t come = 0;
  for (const auto& [store, items] : loads) {
    const double load = std::accumulate(items.begin(), items.end(), 0.0);
    go += CountFor(items, load - mean * (1 + within));
    come += CountFor(all, mean * (1 - within) - load);
  }
  return std::max(go, come);
}

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
  Loads peers;
  Loads leaders_then;
  Loads peers_then;
  for (const auto& entry : world.stores()) {
    for (Loads* loads : {&leaders, &peers, &leaders_then, &peers_then}) (*loads)[entry.first];
  }
  std::vector<double> sizes;
  for (const auto& [id, places] : places_) {
    const auto found = world.regions().find(id);
    if (found == world.regions().end()) continue;
    const storesim::Load& load = found->second.load;
    const auto written = static_cast<double>(load.write_bytes_per_s);
    const double led = written + static_cast<double>(load.read_bytes_per_s);
    leaders[places.front()].push_back(led);
    leaders_then[found->second.leader_store].push_back(led);
    for (const storesim::Peer& peer : found->second.peers) {
      peers_then[peer.store_id].push_back(written);
    }
    for (size_t i = 1; i < places.size(); ++i) peers[places[i]].push_back(written);
    if (written > 0) sizes.push_back(static_cast<double>(found->second.size_bytes));
  }
  moves.leaders_least = std::max(
      moves.leaders_least, LeastByLoad(leaders, std::max(hot_within_, FarthestOf(leaders_then))));
  moves.peers_least = std::max(moves.peers_least,
                               LeastByLoad(peers, std::max(hot_within_, FarthestOf(peers_then))));
  std::ranges::sort(sizes);
  double bytes = 0;
  const size_t moved = std::min(sizes.size(), static_cast<size_t>(moves.peers_least));
  for (size_t i = 0; i < moved; ++i) bytes += sizes[i];
  moves.bytes_least = std::max(moves.bytes_least, static_cast<uint64_t>(bytes));
}

}  // namespace sim

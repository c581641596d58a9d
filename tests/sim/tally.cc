#include "tests/sim/tally.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>
#include <vector>

#include "scheduler/stats/score.h"
#include "tests/sim/convert.h"
#include "tests/storesim/fill.h"

namespace sim {
namespace {

constexpr int64_t kBackAndForthMs = 60LL * 60 * 1000;
constexpr double kLowSpaceRatio = 0.8;  // The default of planning.

/// Values of stores that are alike, with what a difference of one is worth.
struct Values {
  std::vector<double> of_stores;
  double one = 0;
};

double Farthest(const Values& values) {
  if (values.of_stores.empty()) return 0;
  double sum = 0;
  for (const double value : values.of_stores) sum += value;
  const double mean = sum / static_cast<double>(values.of_stores.size());
  double most = 0;
  for (const double value : values.of_stores) most = std::max(most, std::abs(value - mean));
  return mean == 0 || most <= values.one ? 0 : most / mean * 100;
}

double RegionScore(const storesim::Store& store) {
  scheduler::Store seen;
  seen.stats = HeartbeatOf(store).stats;
  seen.region_weight = store.region_weight;
  // All of it counts as one kind: the score asks for the sum.
  seen.counts.followers = static_cast<uint64_t>(store.peers);
  seen.counts.follower_size_mib = store.used_bytes >> 20U;
  return scheduler::RegionScoreV2(seen, kLowSpaceRatio, 0,
                                  static_cast<double>(seen.stats.available_bytes));
}

}  // namespace

Spread SpreadOf(const storesim::World& world, const std::string& alike_by) {
  struct Class {
    Values leaders;
    Values regions;
    Values load;
  };
  std::map<std::string, Class> classes;
  const std::map<uint64_t, storesim::Load> loads = storesim::StoreLoads(world);
  for (const auto& [id, store] : world.stores()) {
    if (!store.up || store.removing) continue;
    std::string name;
    for (const std::string& key : {std::string("engine"), alike_by}) {
      const auto label = store.labels.find(key);
      if (label != store.labels.end()) name += "/" + label->second;
    }
    Class& alike = classes[name];
    alike.leaders.of_stores.push_back(static_cast<double>(store.leaders) / store.leader_weight);
    alike.leaders.one = std::max(alike.leaders.one, 1 / store.leader_weight);
    const double score = RegionScore(store);
    alike.regions.of_stores.push_back(score);
    if (store.peers > 0) {
      alike.regions.one = std::max(alike.regions.one, score / static_cast<double>(store.peers));
    }
    const auto load = loads.find(id);
    const storesim::Load mine = load == loads.end() ? storesim::Load() : load->second;
    alike.load.of_stores.push_back(
        static_cast<double>(mine.write_bytes_per_s + mine.read_bytes_per_s));
  }
  Spread spread;
  for (const auto& entry : classes) {
    spread.leaders = std::max(spread.leaders, Farthest(entry.second.leaders));
    spread.regions = std::max(spread.regions, Farthest(entry.second.regions));
    spread.load = std::max(spread.load, Farthest(entry.second.load));
  }
  return spread;
}

void Tally::NoteStore(const storesim::Store& store) {
  first_[store.id] = {store.leaders, store.peers, static_cast<int64_t>(store.used_bytes)};
}

void Tally::NoteNewRegion(const storesim::Region& region) {
  for (const storesim::Peer& peer : region.peers) {
    State& state = first_[peer.store_id];
    ++state.peers;
    state.bytes += static_cast<int64_t>(region.size_bytes);
  }
  ++first_[region.leader_store].leaders;
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
}

void Tally::AddLeast(const storesim::World& world, Moves& moves) const {
  for (const auto& [id, store] : world.stores()) {
    const auto found = first_.find(id);
    const State before = found == first_.end() ? State() : found->second;
    moves.leaders_least += std::max<int64_t>(0, store.leaders - before.leaders);
    moves.peers_least += std::max<int64_t>(0, store.peers - before.peers);
    const int64_t bytes = static_cast<int64_t>(store.used_bytes) - before.bytes;
    moves.bytes_least += static_cast<uint64_t>(std::max<int64_t>(0, bytes));
  }
}

}  // namespace sim

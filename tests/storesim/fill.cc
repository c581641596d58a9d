#include "tests/storesim/fill.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

namespace storesim {
namespace {

void ReplaceAll(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The stores that hold a region at first, its leader's before the others. Those of the others change from region to
/// region, so that every store shares regions with every other, as in a cluster that has been at work for a while.
std::vector<uint64_t> Places(const Numbers& numbers, const RegionSpec& spec, size_t index,
                             int replicas) {
  std::vector<uint64_t> on;
  for (const int store : spec.on_stores) on.push_back(numbers.Store(store));
  if (on.empty()) on = numbers.stores;
  const std::vector<int>& leaders = spec.leaders_on;
  std::vector<uint64_t> places{leaders.empty() ? on[index % on.size()]
                                               : numbers.Store(leaders[index % leaders.size()])};
  const size_t others = index + 1 + index / on.size() % std::max<size_t>(on.size() - 1, 1);
  for (size_t i = 0; places.size() < static_cast<size_t>(replicas); ++i) {
    const uint64_t store = on[(others + i) % on.size()];
    if (std::ranges::find(places, store) == places.end()) places.push_back(store);
  }
  return places;
}

/// The busiest regions are anywhere in the key space.
std::vector<double> Shares(const RegionSpec& spec, std::mt19937_64& rng) {
  std::vector<double> shares(static_cast<size_t>(spec.count), 1.0);
  if (spec.zipf <= 0) return shares;
  for (size_t i = 0; i < shares.size(); ++i) {
    shares[i] = 1 / std::pow(static_cast<double>(i + 1), spec.zipf);
  }
  for (size_t i = shares.size(); i > 1; --i) std::swap(shares[i - 1], shares[rng() % i]);
  return shares;
}

uint64_t Scaled(uint64_t value, double share) {
  return static_cast<uint64_t>(static_cast<double>(value) * share);
}

}  // namespace

uint64_t Numbers::Store(int number) const {
  if (number < 1 || static_cast<size_t>(number) > stores.size()) {
    throw std::runtime_error("no store " + std::to_string(number));
  }
  return stores[static_cast<size_t>(number) - 1];
}

size_t IdsNeeded(const Scenario& scenario) {
  size_t ids = 0;
  for (const StoreSpec& spec : scenario.stores) ids += static_cast<size_t>(spec.count);
  for (const RegionSpec& spec : scenario.regions) {
    ids += static_cast<size_t>(spec.count) * (1 + static_cast<size_t>(scenario.replicas));
  }
  return ids;
}

void PutStores(World& world, Numbers& numbers, const StoreSpec& spec, const TakeId& take_id) {
  for (int i = 0; i < spec.count; ++i) {
    Store store;
    store.id = take_id();
    numbers.stores.push_back(store.id);
    store.number = static_cast<int>(numbers.stores.size());
    store.labels = spec.labels;
    for (auto& [key, value] : store.labels) ReplaceAll(value, "{n}", std::to_string(store.number));
    store.capacity_bytes = spec.capacity_bytes;
    store.io_bytes_per_s = spec.io_bytes_per_s;
    store.leader_weight = spec.leader_weight;
    store.region_weight = spec.region_weight;
    world.AddStore(std::move(store));
  }
}

void PutRegions(World& world, Numbers& numbers, const Scenario& scenario, const TakeId& take_id) {
  size_t count = 0;
  for (const RegionSpec& spec : scenario.regions) count += static_cast<size_t>(spec.count);
  std::mt19937_64 rng(scenario.seed);
  size_t number = 0;
  for (const RegionSpec& spec : scenario.regions) {
    for (const double share : Shares(spec, rng)) {
      Region region;
      region.id = take_id();
      region.number = static_cast<int>(++number);
      region.start_key = number == 1 ? "" : RegionKey(number);
      region.end_key = number == count ? "" : RegionKey(number + 1);
      region.version = count;
      region.conf_ver = static_cast<uint64_t>(scenario.replicas);
      region.size_bytes = spec.size_bytes;
      region.keys = spec.keys;
      region.load = {Scaled(scenario.load.write_bytes_per_s, share),
                     Scaled(scenario.load.read_bytes_per_s, share)};
      region.usual_load = region.load;
      for (const uint64_t store : Places(numbers, spec, number - 1, scenario.replicas)) {
        Peer peer;
        peer.id = take_id();
        peer.store_id = store;
        region.peers.push_back(peer);
      }
      region.leader_store = region.peers.front().store_id;
      numbers.regions.push_back(region.id);
      world.AddRegion(std::move(region));
    }
  }
}

std::string RegionKey(size_t number) {
  char key[32];
  std::snprintf(key, sizeof(key), "t%010zu", number);
  return key;
}

void VisitRegionsOf(World& world, const Numbers& numbers, const HotSpot& spot,
                    const std::function<void(Region&)>& visit) {
  for (int i = 0; i < spot.count; ++i) {
    const int number = spot.first_region + i * spot.every;
    if (number < 1 || static_cast<size_t>(number) > numbers.regions.size()) break;
    const auto found = world.regions().find(numbers.regions[static_cast<size_t>(number) - 1]);
    if (found != world.regions().end()) visit(found->second);
  }
}

void StartHotSpot(World& world, const Numbers& numbers, const HotSpot& spot) {
  VisitRegionsOf(world, numbers, spot, [&](Region& region) { region.load = spot.load; });
}

void EndHotSpot(World& world, const Numbers& numbers, const HotSpot& spot) {
  VisitRegionsOf(world, numbers, spot, [](Region& region) { region.load = region.usual_load; });
}

std::map<uint64_t, Load> StoreLoads(const World& world) {
  std::map<uint64_t, Load> sums;
  for (const auto& [id, region] : world.regions()) {
    if (!region.load.Any()) continue;
    for (const Peer& peer : region.peers) {
      sums[peer.store_id].write_bytes_per_s += region.load.write_bytes_per_s;
    }
    if (region.leader_store != 0) {
      sums[region.leader_store].read_bytes_per_s += region.load.read_bytes_per_s;
    }
  }
  return sums;
}

}  // namespace storesim

#include "tests/storesim/spread.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "scheduler/stats/score.h"
#include "tests/storesim/fill.h"

namespace storesim {
namespace {

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

double RegionScore(const Store& store) {
  scheduler::Store seen;
  seen.stats.capacity_bytes = store.capacity_bytes;
  seen.stats.used_bytes = store.used_bytes;
  seen.stats.available_bytes =
      store.capacity_bytes - std::min(store.capacity_bytes, store.used_bytes);
  seen.region_weight = store.region_weight;
  // All of it counts as one kind: the score asks for the sum.
  seen.counts.followers = static_cast<uint64_t>(store.peers);
  seen.counts.follower_size_mib = store.used_bytes >> 20U;
  return scheduler::RegionScoreV2(seen, kLowSpaceRatio, 0,
                                  static_cast<double>(seen.stats.available_bytes));
}

/// Stores that are alike have the same name.
std::string ClassOf(const Store& store, const std::string& alike_by) {
  std::string name;
  for (const std::string& key : {std::string("engine"), alike_by}) {
    const auto label = store.labels.find(key);
    if (label != store.labels.end()) name += "/" + label->second;
  }
  return name;
}

/// The farthest store of all classes. `measure` tells the value of a store, and what a difference of one is worth.
double FarthestOf(const World& world, const std::string& alike_by,
                  const std::function<std::pair<double, double>(const Store&)>& measure) {
  std::map<std::string, Values> classes;
  for (const auto& [id, store] : world.stores()) {
    if (!store.up || store.removing) continue;
    Values& alike = classes[ClassOf(store, alike_by)];
    const auto [value, one] = measure(store);
    alike.of_stores.push_back(value);
    alike.one = std::max(alike.one, one);
  }
  double farthest = 0;
  for (const auto& entry : classes) farthest = std::max(farthest, Farthest(entry.second));
  return farthest;
}

}  // namespace

Spread SpreadOf(const World& world, const std::string& alike_by) {
  Spread spread;
  spread.leaders = FarthestOf(world, alike_by, [](const Store& store) {
    return std::pair(static_cast<double>(store.leaders) / store.leader_weight,
                     1 / store.leader_weight);
  });
  spread.regions = FarthestOf(world, alike_by, [](const Store& store) {
    const double score = RegionScore(store);
    return std::pair(score, store.peers > 0 ? score / static_cast<double>(store.peers) : 0.0);
  });
  return spread;
}

double LoadSpreadOf(const World& world, const std::string& alike_by) {
  const std::map<uint64_t, Load> loads = StoreLoads(world);
  return FarthestOf(world, alike_by, [&](const Store& store) {
    const auto load = loads.find(store.id);
    const Load mine = load == loads.end() ? Load() : load->second;
    return std::pair(static_cast<double>(mine.write_bytes_per_s + mine.read_bytes_per_s), 0.0);
  });
}

bool IsBalanced(const World& world, const End& end) {
  bool any = false;
  for (const auto& [id, store] : world.stores()) {
    if (store.removing && store.peers > 0) return false;
    if (!store.up || store.removing) continue;
    if (store.pending > 0) return false;
    any = true;
  }
  if (!any) return false;
  const Spread spread = SpreadOf(world, end.alike_by);
  return spread.leaders <= end.balanced_within_percent &&
         spread.regions <= end.balanced_within_percent &&
         (end.hot_within_percent == 0 ||
          LoadSpreadOf(world, end.alike_by) <= end.hot_within_percent);
}

}  // namespace storesim

#include "scheduler/stats/network_slow_store.h"

#include <cstddef>

namespace scheduler {
namespace {

constexpr uint64_t kFineScore = 1;
constexpr uint64_t kEdgeScore = 95;
constexpr uint64_t kDoubtfulScore = 10;
constexpr double kSlowMean = 99;
constexpr size_t kNamedMin = 3;
constexpr size_t kDoubtfulMin = 2;

uint64_t ScoreOf(const Store& store, const Store& other) {
  const auto it = store.stats.network_slow_scores.find(other.id.value);
  return it == store.stats.network_slow_scores.end() ? kFineScore : it->second;
}

}  // namespace

bool SpeaksOfNetwork(const Store& store) { return store.IsUp() && !store.IsTiFlash(); }

std::vector<const Store*> NetworkStores(const ClusterView& view) {
  std::vector<const Store*> stores;
  for (const Store& store : view.stores()) {
    if (SpeaksOfNetwork(store)) stores.push_back(&store);
  }
  return stores;
}

double MeanNetworkScore(const Store& store, std::span<const Store* const> stores,
                        const std::function<bool(const Store&)>& ignored) {
  uint64_t sum = 0;
  uint64_t count = 0;
  for (const Store* other : stores) {
    if (other->id == store.id || ignored(*other)) continue;
    sum += ScoreOf(store, *other);
    ++count;
  }
  if (count == 0) return static_cast<double>(kFineScore);
  return static_cast<double>(sum) / static_cast<double>(count);
}

uint32_t NetworkSlowHeartbeatsAfter(uint32_t before, double mean) {
  if (mean <= static_cast<double>(kFineScore)) return 0;
  return mean >= kSlowMean && before < kNetworkSlowHeartbeats ? before + 1 : before;
}

std::vector<StoreId> FindNetworkSlow(std::span<const Store* const> stores,
                                     const std::function<bool(const Store&)>& known) {
  std::vector<StoreId> slow;
  for (const Store* store : stores) {
    if (known(*store) || store->stats.network_slow_scores.size() < kNamedMin) continue;
    size_t others = 0;
    size_t edges = 0;
    size_t doubtful = 0;
    for (const Store* other : stores) {
      if (other == store || known(*other)) continue;
      ++others;
      const uint64_t score = ScoreOf(*store, *other);
      if (score >= kEdgeScore || ScoreOf(*other, *store) >= kEdgeScore) {
        ++edges;
      } else if (score >= kDoubtfulScore) {
        ++doubtful;
      }
    }
    if (edges == 0) continue;
    if (edges == others || doubtful >= kDoubtfulMin) slow.push_back(store->id);
  }
  return slow;
}

}  // namespace scheduler

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "scheduler/model/ids.h"

namespace scheduler {

/// The three rates that a store limits.
enum class LimitType : uint8_t { kAddPeer, kRemovePeer, kSendSnapshot };
inline constexpr size_t kLimitTypeCount = 3;

/// What unfinished steps will add to (or take from) one store.
struct StoreInfluence {
  int64_t region_size_mib = 0;
  int64_t region_count = 0;
  int64_t leader_size_mib = 0;
  int64_t leader_count = 0;
  int64_t witness_count = 0;
  std::array<int64_t, kLimitTypeCount> cost{};  // By LimitType; never negative.

  [[nodiscard]] int64_t CostOf(LimitType type) const { return cost[static_cast<size_t>(type)]; }
};

/// By store. Ordered, so that walks over it are the same everywhere. Each plan copies those of all operators.
class Influence {
 public:
  using Entry = std::pair<StoreId, StoreInfluence>;

  [[nodiscard]] const StoreInfluence& Of(StoreId store) const {
    static const StoreInfluence kNone;
    const auto it = std::ranges::lower_bound(stores_, store, {}, &Entry::first);
    return it == stores_.end() || it->first != store ? kNone : it->second;
  }
  /// Valid until another store is asked for.
  StoreInfluence& At(StoreId store) {
    const auto it = std::ranges::lower_bound(stores_, store, {}, &Entry::first);
    if (it != stores_.end() && it->first == store) return it->second;
    return stores_.insert(it, {store, {}})->second;
  }
  [[nodiscard]] const std::vector<Entry>& stores() const { return stores_; }

  /// Adds all of `other`, or takes it away again.
  void Add(const Influence& other) { Merge(other, 1); }
  void Subtract(const Influence& other) { Merge(other, -1); }

 private:
  void Merge(const Influence& other, int64_t sign) {
    for (const auto& [store, delta] : other.stores_) {
      StoreInfluence& mine = At(store);
      mine.region_size_mib += sign * delta.region_size_mib;
      mine.region_count += sign * delta.region_count;
      mine.leader_size_mib += sign * delta.leader_size_mib;
      mine.leader_count += sign * delta.leader_count;
      mine.witness_count += sign * delta.witness_count;
      for (size_t i = 0; i < kLimitTypeCount; ++i) mine.cost[i] += sign * delta.cost[i];
    }
  }

  std::vector<Entry> stores_;  // By ascending id.
};

/// Tokens that moving a region of this size takes from a store limit: 1000 above 20 MiB, 200 down to 2 MiB, else 0.
constexpr int64_t LimitCost(uint64_t region_size_mib) {
  if (region_size_mib > 20) return 1000;
  return region_size_mib > 1 ? 200 : 0;
}

}  // namespace scheduler

#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "scheduler/model/ids.h"

namespace scheduler {

/// How many peers and leaders of one group of regions each store has: was given, as a caller asks for one region after
/// the other, or really has. A plain value. Of those given the owner keeps one for each group, in memory, and forgets
/// those that nobody has used for a while. A store is of one engine only, so that counts by store are counts by engine
/// as well.
class ScatterCounts {
 public:
  /// 0 for a store that is not counted.
  [[nodiscard]] uint64_t PeersOn(StoreId store) const { return In(peers_, store); }
  [[nodiscard]] uint64_t LeadersOn(StoreId store) const { return In(leaders_, store); }

  /// Only stores that were counted.
  [[nodiscard]] const std::map<StoreId, uint64_t>& peers() const { return peers_; }
  [[nodiscard]] const std::map<StoreId, uint64_t>& leaders() const { return leaders_; }

  /// One region more, with a peer on each of `stores`. Leader 0: none.
  void Add(std::span<const StoreId> stores, StoreId leader);
  /// So many more on the store, or fewer, but never below 0.
  void Change(StoreId store, int64_t peers, int64_t leaders);

  friend bool operator==(const ScatterCounts&, const ScatterCounts&) = default;

 private:
  using Counts = std::map<StoreId, uint64_t>;

  static uint64_t In(const Counts& counts, StoreId store) {
    const auto it = counts.find(store);
    return it == counts.end() ? 0 : it->second;
  }

  Counts peers_;
  Counts leaders_;
};

}  // namespace scheduler

#include "scheduler/scatter/scatter_counts.h"

#include <algorithm>

namespace scheduler {
namespace {

void ChangeBy(int64_t delta, uint64_t& count) {
  if (delta >= 0) {
    count += static_cast<uint64_t>(delta);
  } else {
    count -= std::min(count, static_cast<uint64_t>(-delta));
  }
}

}  // namespace

void ScatterCounts::Add(std::span<const StoreId> stores, StoreId leader) {
  for (const StoreId store : stores) ++peers_[store];
  if (leader) ++leaders_[leader];
}

void ScatterCounts::Change(StoreId store, int64_t peers, int64_t leaders) {
  if (peers != 0) ChangeBy(peers, peers_[store]);
  if (leaders != 0) ChangeBy(leaders, leaders_[store]);
}

}  // namespace scheduler

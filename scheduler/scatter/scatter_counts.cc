#include "scheduler/scatter/scatter_counts.h"

namespace scheduler {

void ScatterCounts::Add(std::span<const StoreId> stores, StoreId leader) {
  for (const StoreId store : stores) ++peers_[store];
  if (leader) ++leaders_[leader];
}

}  // namespace scheduler

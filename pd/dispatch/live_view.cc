#include "pd/dispatch/live_view.h"

#include <algorithm>
#include <utility>

namespace pd {

LiveView::LiveView(const Cluster& cluster, StoreLimits& limits, scheduler::Instant now,
                   ViewMemory* memory)
    : cluster_(cluster),
      hits_(cluster.config().online()->schedule.hot_region_cache_hits_threshold),
      now_(now),
      regions_(cluster.regions()),
      ranges_(cluster.ranges()),
      memory_(memory),
      stores_(memory == nullptr ? std::vector<scheduler::Store>() : memory->Take()) {
  cluster.stores().ReadAll(stores_);
  limits.FillRooms(stores_, now);
  ids_.reserve(stores_.size());
  for (const scheduler::Store& store : stores_) ids_.push_back(store.id);
}

LiveView::~LiveView() {
  if (memory_ != nullptr) memory_->GiveBack(std::move(stores_));
}

const scheduler::Store* LiveView::FindStore(scheduler::StoreId id) const {
  const auto it = std::ranges::lower_bound(ids_, id);
  return it == ids_.end() || *it != id ? nullptr : &stores_[static_cast<size_t>(it - ids_.begin())];
}

scheduler::Instant LiveView::KnownSince() const { return ranges_.known_since(); }

std::optional<scheduler::Instant> LiveView::LastSplit(scheduler::RegionId id) const {
  return ranges_.LastSplit(id);
}

std::optional<scheduler::Instant> LiveView::LastMerge(scheduler::RegionId id) const {
  return ranges_.LastMerge(id);
}

uint64_t LiveView::AverageRegionSizeMib() const {
  const size_t count = regions_.size();
  return count == 0 ? 0 : regions_.total_size_mib() / count;
}

}  // namespace pd

#include "pd/cluster/recent_regions.h"

namespace pd {

void RecentRegions::Note(scheduler::RegionId region, scheduler::Instant at) {
  const MutexLock lock(mutex_);
  order_.emplace_back(at, region);
  last_[region] = at;
  if (order_.size() <= notes_max_) return;
  const auto [oldest_at, oldest] = order_.front();
  order_.pop_front();
  // Unless it has happened again since.
  const auto it = last_.find(oldest);
  if (it != last_.end() && it->second == oldest_at) last_.erase(it);
}

std::optional<scheduler::Instant> RecentRegions::LastOf(scheduler::RegionId region) const {
  const MutexLock lock(mutex_);
  const auto it = last_.find(region);
  if (it == last_.end()) return {};
  return it->second;
}

void RecentRegions::Clear() {
  const MutexLock lock(mutex_);
  order_.clear();
  last_.clear();
}

}  // namespace pd

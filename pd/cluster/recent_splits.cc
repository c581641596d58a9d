#include "pd/cluster/recent_splits.h"

namespace pd {

void RecentSplits::Note(scheduler::RegionId region) {
  const Nanos now = clock_.Monotonic();
  const MutexLock lock(mutex_);
  order_.push_back({region, now});
  last_[region] = now;
  while (order_.size() > regions_max_) {
    const Noted& oldest = order_.front();
    // Unless it was seen to split again.
    const auto it = last_.find(oldest.region);
    if (it != last_.end() && it->second == oldest.at) last_.erase(it);
    order_.pop_front();
  }
}

std::optional<Nanos> RecentSplits::LastOf(scheduler::RegionId region) const {
  const MutexLock lock(mutex_);
  const auto it = last_.find(region);
  if (it == last_.end()) return {};
  return it->second;
}

}  // namespace pd

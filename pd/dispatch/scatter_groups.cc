#include "pd/dispatch/scatter_groups.h"

#include <algorithm>

namespace pd {

void ScatterGroups::Use(const std::string& group,
                        const std::function<void(scheduler::ScatterCounts&)>& use) {
  const Nanos now = clock_.Monotonic();
  const MutexLock lock(mutex_);
  auto found = groups_.find(group);
  if (found != groups_.end() && now - found->second.used > kAge) {
    groups_.erase(found);
    found = groups_.end();
  }
  if (found == groups_.end()) {
    if (groups_.size() >= kGroupsMax) ForgetOld(now);
    found = groups_.try_emplace(group).first;
  }
  found->second.used = now;
  use(found->second.counts);
}

void ScatterGroups::ForgetOld(Nanos now) {
  std::erase_if(groups_, [&](const auto& entry) { return now - entry.second.used > kAge; });
  if (groups_.size() < kGroupsMax) return;
  groups_.erase(
      std::ranges::min_element(groups_, {}, [](const auto& entry) { return entry.second.used; }));
}

void ScatterGroups::Clear() {
  const MutexLock lock(mutex_);
  groups_.clear();
}

}  // namespace pd

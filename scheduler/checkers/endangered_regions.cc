#include "scheduler/checkers/endangered_regions.h"

#include <iterator>

namespace scheduler {

void EndangeredRegions::Note(RegionId region, uint64_t missing, Instant now) {
  const auto found = entries_.find(region);
  if (found != entries_.end()) {
    if (found->second.missing == missing) return;
    order_.erase({found->second.missing, region});
    entries_.erase(found);
  }
  if (missing == 0) return;
  if (entries_.size() == kMax) {
    const auto least = std::prev(order_.end());
    if (least->first >= missing) return;
    entries_.erase(least->second);
    order_.erase(least);
  }
  entries_[region] = {missing, 1, now};
  order_.emplace(missing, region);
}

void EndangeredRegions::Clear() {
  entries_.clear();
  order_.clear();
}

std::optional<Instant> EndangeredRegions::NextDue(Millis patrol_interval) const {
  std::optional<Instant> next;
  for (const auto& [region, entry] : entries_) {
    const Instant due = entry.last + entry.attempts * 10 * patrol_interval;
    if (!next || due < *next) next = due;
  }
  return next;
}

std::vector<RegionId> EndangeredRegions::TakeDue(Instant now, Millis patrol_interval) {
  std::vector<RegionId> due;
  for (const auto& ordered : order_) {
    Entry& entry = entries_.at(ordered.second);
    if (now < entry.last + entry.attempts * 10 * patrol_interval) continue;
    ++entry.attempts;
    entry.last = now;
    due.push_back(ordered.second);
  }
  return due;
}

}  // namespace scheduler

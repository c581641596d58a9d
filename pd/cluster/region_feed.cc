#include "pd/cluster/region_feed.h"

#include <algorithm>

namespace pd {

void RegionFeed::Append(const scheduler::Region& region) {
  const MutexLock lock(mutex_);
  if (records_.size() == kRecordsMax) records_.pop_front();
  records_.push_back(region);
  ++next_index_;
}

uint64_t RegionFeed::next_index() const {
  const MutexLock lock(mutex_);
  return next_index_;
}

uint64_t RegionFeed::first_index() const {
  const MutexLock lock(mutex_);
  return next_index_ - records_.size();
}

void RegionFeed::Reset(uint64_t next_index) {
  const MutexLock lock(mutex_);
  records_.clear();
  next_index_ = std::max<uint64_t>(next_index, 1);
}

std::optional<std::vector<scheduler::Region>> RegionFeed::From(uint64_t index,
                                                               size_t records_max) const {
  const MutexLock lock(mutex_);
  const uint64_t first = next_index_ - records_.size();
  if (index == 0 || index > next_index_ || index < first) return std::nullopt;
  const auto from = static_cast<size_t>(index - first);
  const size_t count = std::min(records_max, records_.size() - from);
  const auto begin = records_.begin() + static_cast<std::ptrdiff_t>(from);
  return std::vector<scheduler::Region>(begin, begin + static_cast<std::ptrdiff_t>(count));
}

}  // namespace pd

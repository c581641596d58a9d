#include "pd/dispatch/split_scatter_queue.h"

#include <algorithm>

namespace pd {

using scheduler::Instant;
using scheduler::RegionId;

bool SplitScatterQueue::Add(const Batch& batch, Instant now) {
  if (batch.regions.size() > kRegionsMax) return false;
  const std::set<RegionId> regions(batch.regions.begin(), batch.regions.end());
  const MutexLock lock(mutex_);
  const auto more = static_cast<size_t>(std::ranges::count_if(
      regions, [this](RegionId id) PD_REQUIRES(mutex_) { return !batch_of_.contains(id); }));
  if (batch_of_.size() + more > kRegionsMax) return false;
  if (regions.empty()) return true;
  const Key key{now + kAge, batch.group.name, ++last_number_};
  for (const RegionId id : regions) {
    Remove(id);
    batch_of_[id] = key;
  }
  Entry& entry = batches_[key];
  entry = {batch.group, batch.source, batch.version, {}};
  for (const RegionId id : regions) entry.regions[id] = {now, false};
  return true;
}

std::vector<SplitScatterQueue::Waiting> SplitScatterQueue::Due(Instant now,
                                                               size_t count_max) const {
  std::vector<Waiting> due;
  const MutexLock lock(mutex_);
  for (const auto& [key, entry] : batches_) {
    for (const auto& [region, wait] : entry.regions) {
      if (due.size() >= count_max) return due;
      if (wait.from > now) continue;
      due.push_back({region, entry.source, entry.version, entry.group, std::get<uint64_t>(key)});
    }
  }
  return due;
}

void SplitScatterQueue::Delay(const Waiting& waiting, Instant until, Attempt attempt) {
  const MutexLock lock(mutex_);
  Wait* wait = Find(waiting);
  if (wait == nullptr) return;
  wait->from = until;
  wait->attempted |= attempt == Attempt::kMade;
}

void SplitScatterQueue::Done(const Waiting& waiting) {
  const MutexLock lock(mutex_);
  if (Find(waiting) != nullptr) Remove(waiting.region);
}

SplitScatterQueue::Expired SplitScatterQueue::DropExpired(Instant now) {
  Expired expired;
  const MutexLock lock(mutex_);
  while (!batches_.empty() && std::get<Instant>(batches_.begin()->first) <= now) {
    for (const auto& [region, wait] : batches_.begin()->second.regions) {
      ++(wait.attempted ? expired.attempted : expired.not_attempted);
      batch_of_.erase(region);
    }
    batches_.erase(batches_.begin());
  }
  return expired;
}

void SplitScatterQueue::Clear() {
  const MutexLock lock(mutex_);
  batches_.clear();
  batch_of_.clear();
}

size_t SplitScatterQueue::size() const {
  const MutexLock lock(mutex_);
  return batch_of_.size();
}

SplitScatterQueue::Wait* SplitScatterQueue::Find(const Waiting& waiting) {
  const auto found = batch_of_.find(waiting.region);
  if (found == batch_of_.end() || std::get<uint64_t>(found->second) != waiting.batch) {
    return nullptr;
  }
  return &batches_.at(found->second).regions.at(waiting.region);
}

void SplitScatterQueue::Remove(RegionId region) {
  const auto found = batch_of_.find(region);
  if (found == batch_of_.end()) return;
  const auto batch = batches_.find(found->second);
  batch->second.regions.erase(region);
  if (batch->second.regions.empty()) batches_.erase(batch);
  batch_of_.erase(found);
}

}  // namespace pd

#include "pd/dispatch/patrol.h"

#include <algorithm>
#include <utility>

namespace pd {
namespace {

constexpr size_t kTicksOfRound = 1024;
constexpr size_t kBatchMin = 128;
constexpr size_t kBatchMax = 8192;
constexpr Millis kLookAgain{500};

}  // namespace

void Patrol::PointOut(scheduler::RegionId region, scheduler::Instant at) {
  const MutexLock lock(mutex_);
  const auto [it, made] = when_.try_emplace(region, at);
  if (!made) {
    if (it->second <= at) return;  // Sooner already.
    queue_.erase({it->second, region});
    it->second = at;
  } else if (when_.size() > kPointedOutMax) {
    when_.erase(it);
    pace_ = next_pace_ = Pace::kFull;
    return;
  }
  queue_.emplace(at, region);
}

void Patrol::LookAgain(scheduler::RegionId region, scheduler::Instant now) {
  const Millis all_once{static_cast<int64_t>(pointed_out() * 1000 / kLooksPerSecond)};
  PointOut(region, now + std::max(kLookAgain, all_once));
}

void Patrol::NoteMissing(scheduler::RegionId region, uint64_t peers, scheduler::Instant at) {
  const MutexLock lock(mutex_);
  endangered_.Note(region, peers, at);
}

std::vector<scheduler::Region> Patrol::Next(scheduler::Instant now, Millis interval) {
  std::vector<scheduler::Region> batch;
  AddEndangered(now, interval, batch);
  AddPointedOut(now, batch);
  AddWalk(now, interval, batch);
  return batch;
}

void Patrol::AddEndangered(scheduler::Instant now, Millis interval,
                           std::vector<scheduler::Region>& batch) {
  std::vector<scheduler::RegionId> ids;
  {
    const MutexLock lock(mutex_);
    ids = endangered_.TakeDue(now, interval);
    for (const scheduler::RegionId id : ids) {
      const auto pointed_out = when_.find(id);
      if (pointed_out == when_.end() || pointed_out->second > now) continue;
      queue_.erase({pointed_out->second, id});
      when_.erase(pointed_out);
    }
  }
  for (const scheduler::RegionId id : ids) {
    if (auto region = regions_.Find(id)) {
      batch.push_back(std::move(*region));
    } else {
      const MutexLock lock(mutex_);
      endangered_.Forget(id);
    }
  }
}

void Patrol::AddPointedOut(scheduler::Instant now, std::vector<scheduler::Region>& batch) {
  std::vector<scheduler::RegionId> ids;
  {
    const MutexLock lock(mutex_);
    while (!queue_.empty() && ids.size() < kPointedOutBatch && queue_.begin()->first <= now) {
      ids.push_back(queue_.begin()->second);
      when_.erase(queue_.begin()->second);
      queue_.erase(queue_.begin());
    }
  }
  for (const scheduler::RegionId id : ids) {
    if (auto region = regions_.Find(id)) batch.push_back(std::move(*region));
  }
}

void Patrol::AddWalk(scheduler::Instant now, Millis interval,
                     std::vector<scheduler::Region>& batch) {
  const MutexLock lock(mutex_);
  if (now < WalkDue(interval)) return;
  hurry_ = false;
  walked_at_ = now;
  if (at_start_) {
    round_started_ = now;
    full_round_ = pace_ == Pace::kFull;
    at_start_ = false;
    cursor_.clear();
  }
  const size_t limit = BatchSize();
  std::vector<scheduler::Region> walked = regions_.Scan({cursor_, ""}, limit);
  cursor_ = walked.empty() ? "" : walked.back().end_key;
  if (cursor_.empty() || walked.size() < limit) {
    // What the last batch brings will count for the round to come.
    at_start_ = true;
    if (full_round_) last_round_ = now - round_started_;
    pace_ = std::exchange(next_pace_, Pace::kQuiet);
  }
  if (batch.empty()) {
    batch = std::move(walked);
  } else {
    std::ranges::move(walked, std::back_inserter(batch));
  }
}

size_t Patrol::BatchSize() const {
  return std::clamp(regions_.size() / kTicksOfRound, kBatchMin, kBatchMax);
}

scheduler::Instant Patrol::WalkDue(Millis interval) const {
  if (hurry_) return {};
  if (pace_ == Pace::kFull) {
    const scheduler::Instant next = walked_at_ + interval;
    return at_start_ ? std::max(next, round_started_ + kRoundMin) : next;
  }
  const auto count = static_cast<int64_t>(regions_.size());
  const Millis all{count * 1000 / static_cast<int64_t>(kRestingPerSecond)};
  const Millis round = std::max(all, pace_ == Pace::kQuiet ? kQuietRoundMin : kWaitingRoundMin);
  const int64_t batches = 1 + count / static_cast<int64_t>(BatchSize());
  return walked_at_ + std::max(interval, Millis{round.count() / batches});
}

void Patrol::NoteNews() {
  const MutexLock lock(mutex_);
  hurry_ |= pace_ != Pace::kFull;
  pace_ = next_pace_ = Pace::kFull;
}

void Patrol::NoteWork() {
  const MutexLock lock(mutex_);
  pace_ = next_pace_ = Pace::kFull;
}

void Patrol::NoteWaits() {
  const MutexLock lock(mutex_);
  next_pace_ = std::max(next_pace_, Pace::kWaiting);
  pace_ = std::max(pace_, Pace::kWaiting);
}

scheduler::Instant Patrol::NextDue(scheduler::Instant now, Millis interval) const {
  const MutexLock lock(mutex_);
  scheduler::Instant due = WalkDue(interval);
  if (!queue_.empty()) due = std::min(due, queue_.begin()->first);
  if (const auto next = endangered_.NextDue(interval)) due = std::min(due, *next);
  return std::max(due, now + interval);
}

void Patrol::Clear() {
  const MutexLock lock(mutex_);
  queue_.clear();
  when_.clear();
  endangered_.Clear();
  at_start_ = true;
  pace_ = Pace::kFull;
  next_pace_ = Pace::kQuiet;
  hurry_ = true;
  walked_at_ = {};
  round_started_ = {};
}

size_t Patrol::pointed_out() const {
  const MutexLock lock(mutex_);
  return when_.size();
}

size_t Patrol::endangered() const {
  const MutexLock lock(mutex_);
  return endangered_.size();
}

Millis Patrol::last_round() const {
  const MutexLock lock(mutex_);
  return last_round_;
}

}  // namespace pd

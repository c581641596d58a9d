#include "pd/cluster/store_progress.h"

#include <algorithm>
#include <chrono>

namespace pd {
namespace {

using scheduler::Progress;
using scheduler::StoreId;

constexpr Nanos kCompletedKept = std::chrono::seconds(30);

}  // namespace

/// A store that turned back starts again.
StoreProgress::Entry& StoreProgress::EntryFor(StoreId store, Action action) {
  std::erase_if(entries_, [this](const auto& entry) { return IsOver(entry.second); });
  Entry& entry = entries_[store];
  if (entry.action != action || entry.completed) entry = {};
  entry.action = action;
  return entry;
}

bool StoreProgress::IsOver(const Entry& entry) const {
  return entry.completed && clock_.Monotonic() - *entry.completed > kCompletedKept;
}

void StoreProgress::NoteRemoving(StoreId store, uint64_t size_mib) {
  const MutexLock lock(mutex_);
  Entry& entry = EntryFor(store, Action::kRemoving);
  entry.size_max_mib = std::max(entry.size_max_mib, size_mib);
  const auto most = static_cast<double>(entry.size_max_mib);
  entry.progress.Add(InstantOf(clock_.Monotonic()), most - static_cast<double>(size_mib), most);
}

void StoreProgress::NotePreparing(StoreId store, uint64_t size_mib, double target_mib) {
  const MutexLock lock(mutex_);
  EntryFor(store, Action::kPreparing)
      .progress.Add(InstantOf(clock_.Monotonic()), static_cast<double>(size_mib), target_mib);
}

void StoreProgress::Complete(StoreId store, Action action) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(store);
  if (entry == entries_.end() || entry->second.action != action) return;
  if (!entry->second.completed) entry->second.completed = clock_.Monotonic();
}

void StoreProgress::Forget(StoreId store) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(store);
  if (entry != entries_.end() && !entry->second.completed) entries_.erase(entry);
}

void StoreProgress::Clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
  patrol_round_ = {};
}

void StoreProgress::NotePatrolRound(Millis took) {
  const MutexLock lock(mutex_);
  patrol_round_ = took;
}

StoreProgress::Report StoreProgress::ReportOf(StoreId store, const Entry& entry) const {
  const scheduler::Millis window =
      entry.action == Action::kRemoving ? patrol_round_ : Progress::kWindowMin;
  Report report{store, entry.action, 1, entry.progress.Speed(window), 0};
  if (entry.completed) return report;
  report.fraction = entry.progress.Fraction();
  report.left_s = entry.progress.SecondsLeft(window);
  return report;
}

std::optional<StoreProgress::Report> StoreProgress::Find(StoreId store) const {
  const MutexLock lock(mutex_);
  const auto entry = entries_.find(store);
  if (entry == entries_.end() || IsOver(entry->second)) return std::nullopt;
  return ReportOf(store, entry->second);
}

std::vector<StoreProgress::Report> StoreProgress::All() const {
  const MutexLock lock(mutex_);
  std::vector<Report> reports;
  for (const auto& [store, entry] : entries_) {
    if (!IsOver(entry)) reports.push_back(ReportOf(store, entry));
  }
  return reports;
}

std::optional<StoreProgress::Report> StoreProgress::MeanOf(Action action) const {
  std::vector<Report> reports = All();
  std::erase_if(reports, [&](const Report& report) { return report.action != action; });
  if (reports.empty()) return std::nullopt;
  const auto count = static_cast<double>(reports.size());
  Report mean{{}, action, 0, 0, 0};
  for (const Report& report : reports) {
    mean.fraction += report.fraction / count;
    mean.speed_mib_per_s += report.speed_mib_per_s / count;
    mean.left_s += report.left_s / count;
  }
  // One that never ends makes it the rest of time, not a large number less the others' share.
  if (std::ranges::any_of(reports, [](const Report& r) { return r.left_s == Progress::kNever; })) {
    mean.left_s = Progress::kNever;
  }
  return mean;
}

}  // namespace pd

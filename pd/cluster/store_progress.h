#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"
#include "scheduler/stats/progress.h"

namespace pd {

/// What stores are getting on with: those that leave give their regions away, new ones take their share. Memory of this
/// leadership: a new leader measures anew, from what stores hold by then. Thread-safe.
class StoreProgress {
 public:
  enum class Action : uint8_t { kRemoving, kPreparing };
  /// "removing", "preparing".
  [[nodiscard]] static const char* NameOf(Action action) {
    return action == Action::kRemoving ? "removing" : "preparing";
  }
  struct Report {
    scheduler::StoreId store;
    Action action = Action::kRemoving;
    double fraction = 0;         // 0 .. 1.
    double speed_mib_per_s = 0;  // Over the last 10 minutes or more; see Progress.
    double left_s = 0;           // Progress::kNever as long as nothing moves.
  };

  explicit StoreProgress(const Clock& clock) : clock_(clock) {}

  /// A sample: what the store holds. What it held at the first sample, or at most since, is what it is to give away.
  void NoteRemoving(scheduler::StoreId store, uint64_t size_mib);
  /// What it holds and what it is to hold.
  void NotePreparing(scheduler::StoreId store, uint64_t size_mib, double target_mib);
  /// Done: shown as such for 30 s more. Nothing happens unless the store has a sample of this action.
  void Complete(scheduler::StoreId store, Action action);
  /// The store does neither: what is not complete goes.
  void Forget(scheduler::StoreId store);
  void Clear();
  /// How long the checkers take to come round: removals are measured over at least that.
  void NotePatrolRound(Millis took);

  [[nodiscard]] std::optional<Report> Find(scheduler::StoreId store) const;
  /// By ascending id.
  [[nodiscard]] std::vector<Report> All() const;
  /// The means of all stores that do this, as in the reference; `store` is 0. None when no store does.
  [[nodiscard]] std::optional<Report> MeanOf(Action action) const;

 private:
  struct Entry {
    Action action = Action::kRemoving;
    scheduler::Progress progress;
    uint64_t size_max_mib = 0;  // Removing: the most that it held.
    std::optional<Nanos> completed;
  };

  Entry& EntryFor(scheduler::StoreId store, Action action) PD_REQUIRES(mutex_);
  [[nodiscard]] bool IsOver(const Entry& entry) const;
  [[nodiscard]] Report ReportOf(scheduler::StoreId store, const Entry& entry) const
      PD_REQUIRES(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<scheduler::StoreId, Entry> entries_ PD_GUARDED_BY(mutex_);
  scheduler::Millis patrol_round_ PD_GUARDED_BY(mutex_){0};
};

}  // namespace pd

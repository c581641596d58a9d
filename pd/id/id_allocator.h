#pragma once

#include <cstdint>
#include <functional>

#include "pd/result.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// Hands out cluster-unique 64-bit ids (stores, regions, peers), never reused, even after a
/// failover.
///
/// The replicated value under /pd/{cid}/alloc_id is the end of the window that may have been handed
/// out:
///   last id handed out <= end of the window in memory <= replicated end.
/// A new leader reserves a window of its own before it serves, so after each change of leader the
/// first id is the old end plus 1 (1, 1001, 2001, ...). One call in kWindow waits for Raft, the
/// others take a lock. Thread-safe.
class IdAllocator {
 public:
  static constexpr uint64_t kWindow = 1000;

  struct Window {
    uint64_t base;  // Ids above this ...
    uint64_t end;   // ... up to this one are ours.
  };
  /// Raises the replicated end by the windows that `count` more ids need, from the value that it has at that moment.
  /// Waits for Raft. Errors: kNotLeader, kTimeout, kConflict, kExhausted.
  using Reserve = std::function<Result<Window>(uint64_t count)>;

  explicit IdAllocator(Reserve reserve);

  /// Starts to serve from a window that the leader reserved in the first transaction of its term.
  void Start(Window window) PD_EXCLUDES(mutex_);
  /// Gives the rest of the window up; Allocate answers kNotLeader from here on.
  void Stop() PD_EXCLUDES(mutex_);

  /// Returns the last of `count` consecutive ids, as the wire call does; 0 counts as 1, and `count`
  /// may exceed a window. Errors: kNotLeader; kExhausted; those of the reservation (the window may
  /// still commit, its ids are then skipped).
  Result<uint64_t> Allocate(uint32_t count) PD_EXCLUDES(mutex_);

  /// Forgets the rest of the window, because the replicated end was set to `base` (admin
  /// base-alloc-id): the next id is base + 1.
  void Rebase() PD_EXCLUDES(mutex_);

  /// End of the window in memory, for metrics; 0 when not serving.
  [[nodiscard]] uint64_t window_end() const PD_EXCLUDES(mutex_);

 private:
  /// Reserves windows for `missing` more ids, without the lock meanwhile.
  Result<void> Extend(uint64_t missing) PD_REQUIRES(mutex_);

  const Reserve reserve_;
  mutable Mutex mutex_;
  CondVar reserved_;
  bool serving_ PD_GUARDED_BY(mutex_) = false;
  bool reserving_ PD_GUARDED_BY(mutex_) = false;  // One call waits for Raft, the others for it.
  uint64_t epoch_ PD_GUARDED_BY(mutex_) =
      0;  // Counts Start, Stop and Rebase: a window asked for before is void.
  uint64_t last_ PD_GUARDED_BY(mutex_) = 0;
  uint64_t end_ PD_GUARDED_BY(mutex_) = 0;
};

}  // namespace pd

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "pd/fsm/meta_state.h"
#include "pd/meta/meta_store.h"
#include "pd/runtime/mutex.h"
#include "pd/storage/database.h"

namespace pd {

/// Hands events to watchers. What is applied goes into a bounded queue of each watcher it concerns. A watcher that
/// cannot follow, or that starts in the past, reads the history instead until it has caught up: nothing is lost and
/// memory stays bounded, whatever a sink does; only a compaction can overtake it. Thread-safe.
class WatchHub {
 public:
  struct Limits {
    size_t watches = 20'000;
    size_t events = 1'024;           // Waiting events of one watcher; beyond it reads history.
    size_t bytes = 4U << 20U;        // The same in bytes.
    size_t batch_bytes = 1U << 20U;  // Read from history at once.
    Nanos retry{20'000'000};         // After a sink said "not now".
  };

  explicit WatchHub(const Database& database) : WatchHub(database, Limits()) {}
  WatchHub(const Database& database, const Limits& limits) : database_(database), limits_(limits) {}

  /// Errors: kQueueFull, kInvalidArgument (no key), kIo.
  Result<std::unique_ptr<Watch>> Add(WatchRequest request, std::shared_ptr<WatchSink> sink);

  /// On the raft thread: these events can be read now.
  void Applied(const std::vector<Event>& events);
  /// On the raft thread: everything may have changed.
  void Replaced();

  /// Delivers what there is, on the caller's thread (one at a time). Answers whether anything was done; if not, and
  /// somebody must be asked again later, `again` is set.
  bool Deliver(Nanos now, bool& again);
  /// Ends all watches with `error`.
  void CancelAll(const Error& error);

  [[nodiscard]] size_t size() const;

 private:
  struct Watcher;
  class Handle;

  [[nodiscard]] std::vector<std::shared_ptr<Watcher>> All() const;
  bool DeliverTo(Watcher& watcher, Nanos now, bool& again);
  bool CatchUp(Watcher& watcher, Nanos now);
  bool Offer(Watcher& watcher, std::vector<Event> events, Revision next, Nanos now);
  void Cancel(Watcher& watcher, const Error& error, Revision compact_revision);
  void Remove(uint64_t id);

  const Database& database_;
  const Limits limits_;
  mutable Mutex mutex_;
  std::map<uint64_t, std::shared_ptr<Watcher>> watchers_ PD_GUARDED_BY(mutex_);
  uint64_t next_id_ PD_GUARDED_BY(mutex_) = 1;
  Revision told_ PD_GUARDED_BY(mutex_) = 0;  // Of the last event that came through Applied.
};

}  // namespace pd

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "pd/dispatch/scheduler_table.h"
#include "pd/result.h"
#include "pd/runtime/mutex.h"

namespace pd {

/// Has what schedulers have found (which store they evict, how far their jobs are) kept, on a thread of its own: that
/// waits for Raft, and the thread that plans must not. A write that fails is tried again, less and less often, until
/// the lead is lost or the scheduler is gone. Of each scheduler the newest findings wait, so there are never more than
/// schedulers. Until they are kept, who plans takes them from Waiting(). Beside that it has settled what became of
/// changes of the table that were given up.
///
/// Thread-safe. Without Start(), for a caller who drives time, each turn writes on its own thread.
class FindingsKeeper {
 public:
  /// All are called on the thread that writes.
  struct Deps {
    /// kNotFound: the scheduler is gone.
    std::function<Result<void>(const SchedulerTable::Entry&, const scheduler::SchedulerConfig&)>
        write;
    std::function<Result<void>()> settle;  // Calls NoteUnsettled() where it is to be tried again.
    std::function<void()> done;            // After each that is kept.
  };
  explicit FindingsKeeper(Deps deps) : deps_(std::move(deps)) {}
  ~FindingsKeeper() { Stop(); }
  FindingsKeeper(const FindingsKeeper&) = delete;
  FindingsKeeper& operator=(const FindingsKeeper&) = delete;

  static constexpr Millis kPauseMin{100};
  static constexpr Millis kPauseMax{10'000};

  void Start();
  void Stop() PD_EXCLUDES(mutex_);

  /// What `ran`, as it was given to the run, has found.
  void Keep(const SchedulerTable::Entry& ran, scheduler::SchedulerConfig findings)
      PD_EXCLUDES(mutex_);
  /// A change was given up: it is to be settled.
  void NoteUnsettled() PD_EXCLUDES(mutex_);
  /// To be called by who plans in each turn.
  void Turn() PD_EXCLUDES(mutex_);

  struct Found {
    SchedulerTable::Entry ran;
    scheduler::SchedulerConfig findings;
    uint64_t number = 0;  // Newer findings have a higher one.
  };
  using FoundByName = std::map<std::string, Found, std::less<>>;
  /// What is not kept yet. Take it before the settings that it goes into: what is kept in between is in both then.
  [[nodiscard]] FoundByName Waiting() const PD_EXCLUDES(mutex_);
  /// Nothing waits any more, nor is there anything to settle.
  void Clear() PD_EXCLUDES(mutex_);

 private:
  void Run();
  enum class Outcome : uint8_t { kAllKept, kSomeFailed };
  /// One try for each that waits.
  Outcome KeepAll() PD_EXCLUDES(mutex_);
  Outcome Settle() PD_EXCLUDES(mutex_);

  const Deps deps_;
  mutable Mutex mutex_;
  CondVar wake_;   // Something waits.
  CondVar pause_;  // The pause after a failure is over.
  bool stopping_ PD_GUARDED_BY(mutex_) = false;
  bool unsettled_ PD_GUARDED_BY(mutex_) = false;
  FoundByName waiting_ PD_GUARDED_BY(mutex_);
  uint64_t numbers_ PD_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace pd

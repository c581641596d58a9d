#include "pd/dispatch/findings_keeper.h"

#include <algorithm>
#include <utility>

#include "pd/dispatch/scheduler_codec.h"
#include "pd/log/log.h"

namespace pd {

void FindingsKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void FindingsKeeper::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  pause_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void FindingsKeeper::Keep(const SchedulerTable::Entry& ran, scheduler::SchedulerConfig findings) {
  {
    const MutexLock lock(mutex_);
    waiting_.insert_or_assign(ran.name, Found{ran, std::move(findings), ++numbers_});
  }
  wake_.NotifyAll();
}

void FindingsKeeper::NoteUnsettled() {
  {
    const MutexLock lock(mutex_);
    unsettled_ = true;
  }
  wake_.NotifyAll();
}

void FindingsKeeper::Turn() {
  if (!thread_.joinable()) KeepAll();
}

FindingsKeeper::FoundByName FindingsKeeper::Waiting() const {
  const MutexLock lock(mutex_);
  return waiting_;
}

void FindingsKeeper::Clear() {
  {
    const MutexLock lock(mutex_);
    waiting_.clear();
    unsettled_ = false;
  }
  pause_.NotifyAll();
}

void FindingsKeeper::Run() {
  Millis pause{0};
  while (true) {
    {
      const MutexLock lock(mutex_);
      const bool again = !waiting_.empty() || unsettled_;
      if (!stopping_ && again && pause > Millis{0}) pause_.WaitFor(mutex_, pause);
      while (!stopping_ && waiting_.empty() && !unsettled_) {
        pause = Millis{0};
        wake_.Wait(mutex_);
      }
      if (stopping_) return;
    }
    pause =
        KeepAll() == Outcome::kAllKept ? Millis{0} : std::clamp(2 * pause, kPauseMin, kPauseMax);
  }
}

FindingsKeeper::Outcome FindingsKeeper::Settle() {
  {
    const MutexLock lock(mutex_);
    // Before the try, which notes it again where it fails and it is still to be found out.
    if (!std::exchange(unsettled_, false)) return Outcome::kAllKept;
  }
  const Result<void> settled = deps_.settle();
  if (settled) return Outcome::kAllKept;
  LogWarn("what became of a change of schedulers is not known yet", {{"error", settled.error()}});
  return Outcome::kSomeFailed;
}

FindingsKeeper::Outcome FindingsKeeper::KeepAll() {
  Outcome outcome = Settle();
  for (const auto& [name, found] : Waiting()) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return outcome;  // Each may wait for seconds.
    }
    const Result<void> kept = deps_.write(found.ran, found.findings);
    const bool gone = !kept && kept.error().code == ErrorCode::kNotFound;
    if (kept) {
      LogInfo("a scheduler has found something that lasts",
              {{"name", name}, {"config", StoredSchedulerText(found.findings, false)}});
    } else if (!gone) {
      LogWarn("what a scheduler has found cannot be kept yet",
              {{"name", name}, {"error", kept.error()}});
      outcome = Outcome::kSomeFailed;
      continue;
    }
    {
      const MutexLock lock(mutex_);
      const auto now = waiting_.find(name);
      if (now != waiting_.end() && now->second.number == found.number) waiting_.erase(now);
    }
    deps_.done();
  }
  return outcome;
}

}  // namespace pd

#include "pd/dispatch/findings_keeper.h"

#include <algorithm>
#include <utility>

#include "pd/dispatch/scheduler_codec.h"
#include "pd/log/log.h"

namespace pd {

FindingsKeeper::FindingsKeeper(Write write, Done done)
    : write_(std::move(write)), done_(std::move(done)) {}

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
  }
  pause_.NotifyAll();
}

void FindingsKeeper::Run() {
  Millis pause{0};
  while (true) {
    {
      const MutexLock lock(mutex_);
      if (!stopping_ && !waiting_.empty() && pause > Millis{0}) pause_.WaitFor(mutex_, pause);
      while (!stopping_ && waiting_.empty()) {
        pause = Millis{0};
        wake_.Wait(mutex_);
      }
      if (stopping_) return;
    }
    pause =
        KeepAll() == Outcome::kAllKept ? Millis{0} : std::clamp(2 * pause, kPauseMin, kPauseMax);
  }
}

FindingsKeeper::Outcome FindingsKeeper::KeepAll() {
  Outcome outcome = Outcome::kAllKept;
  for (const auto& [name, found] : Waiting()) {
    {
      const MutexLock lock(mutex_);
      if (stopping_) return outcome;  // Each may wait for seconds.
    }
    const Result<void> kept = write_(found.ran, found.findings);
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
    done_();
  }
  return outcome;
}

}  // namespace pd

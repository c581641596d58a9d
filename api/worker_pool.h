#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "pd/runtime/mutex.h"

namespace api {

/// Threads for handlers that may block. Threads start as they are needed, up to a bound, and stay; jobs wait in a
/// bounded
/// queue and start in the order they came. Thread-safe.
class WorkerPool {
 public:
  struct Limits {
    size_t threads_max = 32;
    size_t queue_max = 8192;
  };

  explicit WorkerPool(Limits limits) : limits_(limits) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False, without having taken the job, when the queue is full or the pool has stopped.
  [[nodiscard]] bool Submit(std::function<void()> job) PD_EXCLUDES(mutex_);

  /// Runs what is queued, then joins the threads. Idempotent. Not from a job.
  void Stop() PD_EXCLUDES(mutex_);

 private:
  void Work() PD_EXCLUDES(mutex_);

  const Limits limits_;
  pd::Mutex mutex_;
  pd::CondVar wake_;
  std::deque<std::function<void()>> jobs_ PD_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ PD_GUARDED_BY(mutex_);
  size_t idle_ PD_GUARDED_BY(mutex_) = 0;
  bool stopped_ PD_GUARDED_BY(mutex_) = false;
};

}  // namespace api

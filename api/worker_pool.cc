#include "api/worker_pool.h"

#include <utility>

namespace api {

WorkerPool::~WorkerPool() { Stop(); }

bool WorkerPool::Submit(std::function<void()> job) {
  pd::MutexLock lock(mutex_);
  if (stopped_ || jobs_.size() >= limits_.queue_max) return false;
  jobs_.push_back(std::move(job));
  // A waiting thread may have been promised to an earlier job, hence the comparison with the queue.
  if (idle_ < jobs_.size() && threads_.size() < limits_.threads_max) {
    threads_.emplace_back([this] { Work(); });
  } else {
    wake_.NotifyOne();
  }
  return true;
}

void WorkerPool::Stop() {
  std::vector<std::thread> threads;
  {
    pd::MutexLock lock(mutex_);
    stopped_ = true;
    threads.swap(threads_);
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void WorkerPool::Work() {
  while (true) {
    std::function<void()> job;
    {
      pd::MutexLock lock(mutex_);
      while (jobs_.empty() && !stopped_) {
        ++idle_;
        wake_.Wait(mutex_);
        --idle_;
      }
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace api

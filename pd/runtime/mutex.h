#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

// Clang's thread-safety annotations; nothing under GCC. libstdc++'s own mutexes carry none, hence the thin wrappers.
#if defined(__clang__)
#define PD_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define PD_THREAD_ATTRIBUTE(x)
#endif
#define PD_CAPABILITY(x) PD_THREAD_ATTRIBUTE(capability(x))
#define PD_SCOPED_CAPABILITY PD_THREAD_ATTRIBUTE(scoped_lockable)
#define PD_GUARDED_BY(x) PD_THREAD_ATTRIBUTE(guarded_by(x))
#define PD_REQUIRES(...) PD_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define PD_REQUIRES_SHARED(...) PD_THREAD_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define PD_ASSERTS(...) PD_THREAD_ATTRIBUTE(assert_capability(__VA_ARGS__))
#define PD_EXCLUDES(...) PD_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define PD_ACQUIRE(...) PD_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define PD_RELEASE(...) PD_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define PD_ACQUIRE_SHARED(...) PD_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define PD_RELEASE_SHARED(...) PD_THREAD_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define PD_RELEASE_GENERIC(...) PD_THREAD_ATTRIBUTE(release_generic_capability(__VA_ARGS__))

namespace pd {

class PD_CAPABILITY("mutex") Mutex {
 public:
  void lock() PD_ACQUIRE() { mutex_.lock(); }
  void unlock() PD_RELEASE() { mutex_.unlock(); }
  /// For the analysis alone, where a declaration cannot name the mutex that its callers hold.
  void AssertHeld() const PD_ASSERTS(this) {}

 private:
  std::mutex mutex_;
};

/// Many readers or one writer.
class PD_CAPABILITY("shared mutex") SharedMutex {
 public:
  void lock() PD_ACQUIRE() { mutex_.lock(); }
  void unlock() PD_RELEASE() { mutex_.unlock(); }
  void lock_shared() PD_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() PD_RELEASE_SHARED() { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

class PD_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() PD_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class PD_SCOPED_CAPABILITY WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) PD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~WriteLock() PD_RELEASE() { mutex_.unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  SharedMutex& mutex_;
};

class PD_SCOPED_CAPABILITY ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) PD_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ~ReadLock() PD_RELEASE_GENERIC() { mutex_.unlock_shared(); }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

 private:
  SharedMutex& mutex_;
};

/// Waits with a Mutex held; the caller loops on its condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) PD_REQUIRES(mutex) { condition_.wait(mutex); }

  /// False when `timeout` passed without a notification.
  template <class Duration>
  bool WaitFor(Mutex& mutex, Duration timeout) PD_REQUIRES(mutex) {
    return condition_.wait_for(mutex, timeout) == std::cv_status::no_timeout;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace pd

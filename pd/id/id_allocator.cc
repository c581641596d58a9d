#include "pd/id/id_allocator.h"

#include <algorithm>
#include <utility>

namespace pd {

IdAllocator::IdAllocator(Reserve reserve) : reserve_(std::move(reserve)) {}

void IdAllocator::Start(Window window) {
  const MutexLock lock(mutex_);
  serving_ = true;
  ++epoch_;
  last_ = window.base;
  end_ = window.end;
}

void IdAllocator::Stop() {
  const MutexLock lock(mutex_);
  serving_ = false;
  ++epoch_;
  last_ = end_ = 0;
}

void IdAllocator::Rebase() {
  const MutexLock lock(mutex_);
  ++epoch_;
  last_ = end_ = 0;
}

Result<uint64_t> IdAllocator::Allocate(uint32_t count) {
  const uint64_t wanted = std::max<uint64_t>(count, 1);
  const MutexLock lock(mutex_);
  while (true) {
    while (reserving_) reserved_.Wait(mutex_);
    if (!serving_) return Fail(ErrorCode::kNotLeader, "not leader");
    if (end_ - last_ >= wanted) return last_ += wanted;
    if (auto extended = Extend(wanted - (end_ - last_)); !extended) {
      return tl::unexpected(extended.error());
    }
  }
}

Result<void> IdAllocator::Extend(uint64_t missing) {
  const uint64_t epoch = epoch_;
  reserving_ = true;
  mutex_.unlock();
  const auto window = reserve_(missing);
  mutex_.lock();
  reserving_ = false;
  reserved_.NotifyAll();
  if (!window) return tl::unexpected(window.error());
  if (epoch != epoch_) return {};  // The caller looks again at what holds now.
  // A window that does not begin where ours ends means that the value was set from outside: the rest of ours is void.
  if (window->base != end_) last_ = window->base;
  end_ = window->end;
  return {};
}

uint64_t IdAllocator::window_end() const {
  const MutexLock lock(mutex_);
  return serving_ ? end_ : 0;
}

}  // namespace pd

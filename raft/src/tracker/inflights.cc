#include "raft/src/tracker/inflights.h"

#include <algorithm>

namespace raft {

bool Inflights::Add(LogIndex index, uint64_t bytes) {
  if (full()) return false;
  if (count_ == ring_.size()) Grow();
  ring_[(start_ + count_) % ring_.size()] = {index, bytes};
  ++count_;
  bytes_ += bytes;
  return true;
}

bool Inflights::Extend(LogIndex index, uint64_t bytes) {
  if (count_ == 0) return false;
  Inflight& newest = ring_[(start_ + count_ - 1) % ring_.size()];
  newest.index = index;
  newest.bytes += bytes;
  bytes_ += bytes;
  return true;
}

void Inflights::Grow() {
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(start_), ring_.end());
  start_ = 0;
  ring_.resize(std::min<uint64_t>(capacity_, std::max<uint64_t>(1, ring_.size() * 2)));
}

void Inflights::FreeTo(LogIndex index) {
  while (count_ > 0 && ring_[start_].index <= index) {
    bytes_ -= ring_[start_].bytes;
    start_ = (start_ + 1) % ring_.size();
    --count_;
  }
}

void Inflights::Clear() {
  start_ = 0;
  count_ = 0;
  bytes_ = 0;
}

}  // namespace raft

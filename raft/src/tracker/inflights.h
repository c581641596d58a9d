#pragma once

#include <cstdint>
#include <vector>

#include "raft/types.h"

namespace raft {

/// The append messages on their way to one follower: for each the index of its last entry and its
/// payload bytes. A ring that grows by doubling up to the capacity, as most followers never fill
/// it.
///
/// Invariant: the indexes ascend from the oldest to the newest.
class Inflights {
 public:
  /// At most `capacity` messages, and about `bytes_max` bytes (0: any).
  Inflights(uint64_t capacity, uint64_t bytes_max) : capacity_(capacity), bytes_max_(bytes_max) {}

  /// Adds a message. Returns false, and does nothing, when full.
  [[nodiscard]] bool Add(LogIndex index, uint64_t bytes);

  /// The newest message grew by `bytes`, up to `index`. False if there is none.
  [[nodiscard]] bool Extend(LogIndex index, uint64_t bytes);

  /// Releases all messages with indexes up to `index`.
  void FreeTo(LogIndex index);

  void Clear();

  /// What is in it stays, also where that is more.
  void SetCapacity(uint64_t capacity) { capacity_ = capacity; }

  bool full() const { return count_ >= capacity_ || (bytes_max_ != 0 && bytes_ >= bytes_max_); }
  uint64_t count() const { return count_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Inflight {
    LogIndex index;
    uint64_t bytes;
  };

  void Grow();

  uint64_t capacity_;
  uint64_t bytes_max_;
  uint64_t start_ = 0;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  std::vector<Inflight> ring_;
};

}  // namespace raft

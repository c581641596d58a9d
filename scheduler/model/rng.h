#pragma once

#include <cstdint>

#include "scheduler/model/assert.h"

namespace scheduler {

/// Seeded source of random numbers (splitmix64): the same seed gives the same decisions on every
/// machine. Injected, one per owner, not thread-safe.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound); `bound` is at least 1. The bias of a plain remainder is below bound /
  /// 2^64.
  uint64_t Below(uint64_t bound) {
    PD_ASSERT(bound > 0);
    return Next() % bound;
  }

 private:
  uint64_t state_;
};

}  // namespace scheduler

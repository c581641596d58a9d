#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>

#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"

namespace pd {

/// When regions were last seen to split: what is left of the old region and what came of it. Every member keeps this
/// from what it sees, reports or the leader's feed, so that a new leader knows what its predecessor did; a process
/// knows nothing of the time before it started. Thread-safe.
class RecentSplits {
 public:
  /// What is older goes when more are noted.
  static constexpr size_t kRegionsMax = 262'144;

  explicit RecentSplits(const Clock& clock, size_t regions_max = kRegionsMax)
      : clock_(clock), regions_max_(regions_max), known_since_(clock.Monotonic()) {}

  void Note(scheduler::RegionId region);

  /// By the monotonic clock; none when not seen, or too many were since.
  [[nodiscard]] std::optional<Nanos> LastOf(scheduler::RegionId region) const;
  [[nodiscard]] Nanos known_since() const { return known_since_; }

 private:
  struct Noted {
    scheduler::RegionId region;
    Nanos at;
  };

  const Clock& clock_;
  const size_t regions_max_;
  const Nanos known_since_;
  mutable Mutex mutex_;
  std::deque<Noted> order_ PD_GUARDED_BY(mutex_);  // Oldest first; one entry a note.
  std::unordered_map<scheduler::RegionId, Nanos> last_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

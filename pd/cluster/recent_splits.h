#pragma once

#include <cstddef>
#include <optional>

#include "pd/cluster/recent_regions.h"
#include "pd/runtime/clock.h"

namespace pd {

/// When regions were last seen to split: what is left of the old region and what came of it. Every member keeps this
/// from what it sees, reports, the leader's feed or what the group applies, so that a new leader knows what its
/// predecessor did; a process knows nothing of the time before it started. Thread-safe.
class RecentSplits {
 public:
  static constexpr size_t kNotesMax = 262'144;

  explicit RecentSplits(const Clock& clock)
      : clock_(clock), known_since_(InstantOf(clock.Monotonic())) {}

  void Note(scheduler::RegionId region) { regions_.Note(region, InstantOf(clock_.Monotonic())); }

  /// None when not seen, or too many were since.
  [[nodiscard]] std::optional<scheduler::Instant> LastOf(scheduler::RegionId region) const {
    return regions_.LastOf(region);
  }
  [[nodiscard]] scheduler::Instant known_since() const { return known_since_; }

 private:
  const Clock& clock_;
  const scheduler::Instant known_since_;
  RecentRegions regions_{kNotesMax};
};

}  // namespace pd

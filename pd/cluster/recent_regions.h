#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace pd {

/// When something last happened to regions. Bounded: when there are too many, those to which it happened longest ago
/// are forgotten. Thread-safe.
class RecentRegions {
 public:
  /// Notes that are kept, several of one region each for itself; one takes some 80 bytes.
  explicit RecentRegions(size_t notes_max) : notes_max_(notes_max) {}

  /// Times do not go back.
  void Note(scheduler::RegionId region, scheduler::Instant at);
  /// None when it did not happen, or too long ago.
  [[nodiscard]] std::optional<scheduler::Instant> LastOf(scheduler::RegionId region) const;
  void Clear();

 private:
  const size_t notes_max_;
  mutable Mutex mutex_;
  std::deque<std::pair<scheduler::Instant, scheduler::RegionId>> order_
      PD_GUARDED_BY(mutex_);  // Oldest first.
  std::unordered_map<scheduler::RegionId, scheduler::Instant> last_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

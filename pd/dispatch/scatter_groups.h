#pragma once

#include <functional>
#include <map>
#include <string>

#include "pd/runtime/clock.h"
#include "pd/runtime/mutex.h"
#include "scheduler/scatter/scatter_counts.h"

namespace pd {

/// What was scattered of each group of regions, by the name that callers give it; forgotten three minutes after its
/// last use, and the least used when there are ten thousand. Memory of one server, as in the reference. Thread-safe.
class ScatterGroups {
 public:
  static constexpr Nanos kAge = std::chrono::minutes(3);
  static constexpr size_t kGroupsMax = 10'000;

  explicit ScatterGroups(const Clock& clock) : clock_(clock) {}

  /// One at a time. `use` must not call back.
  void Use(const std::string& group, const std::function<void(scheduler::ScatterCounts&)>& use)
      PD_EXCLUDES(mutex_);
  void Clear() PD_EXCLUDES(mutex_);

 private:
  struct Entry {
    scheduler::ScatterCounts counts;
    Nanos used{0};
  };

  void ForgetOld(Nanos now) PD_REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Entry> groups_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

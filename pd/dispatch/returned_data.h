#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "pd/dispatch/operator_info.h"
#include "pd/runtime/mutex.h"
#include "scheduler/model/ids.h"
#include "scheduler/model/time.h"

namespace pd {

/// When operators last gave a witness of a region its data back: for a while none is made a witness there. Bounded: the
/// regions of which this was longest ago are forgotten. In the leader's memory. Thread-safe.
class ReturnedData {
 public:
  static constexpr size_t kMax = 100'000;

  /// An operator has ended.
  void Note(const OperatorInfo& ended);
  [[nodiscard]] std::optional<scheduler::Instant> Find(scheduler::RegionId region) const;
  void Clear();

 private:
  mutable Mutex mutex_;
  std::map<scheduler::RegionId, scheduler::Instant> when_ PD_GUARDED_BY(mutex_);
  std::deque<std::pair<scheduler::Instant, scheduler::RegionId>> order_ PD_GUARDED_BY(mutex_);
};

}  // namespace pd

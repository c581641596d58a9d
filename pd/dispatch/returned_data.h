#pragma once

#include <cstddef>
#include <optional>

#include "pd/cluster/recent_regions.h"
#include "pd/dispatch/operator_info.h"

namespace pd {

/// When operators last gave a witness of a region its data back: for a while none is made a witness there. In the
/// leader's memory. Thread-safe.
class ReturnedData {
 public:
  static constexpr size_t kNotesMax = 100'000;

  /// An operator has ended.
  void Note(const OperatorInfo& ended);
  /// None when not, or too many were since.
  [[nodiscard]] std::optional<scheduler::Instant> LastOf(scheduler::RegionId region) const {
    return regions_.LastOf(region);
  }
  void Clear() { regions_.Clear(); }

 private:
  RecentRegions regions_{kNotesMax};
};

}  // namespace pd

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pd/cluster/region_table.h"
#include "scheduler/checkers/departure.h"

namespace pd {

/// Why regions do not leave a store that is offline, and what would let them.
struct StoreBlockers {
  /// Regions that one call looks at, causes that it tells and stores that it names for one cause.
  static constexpr size_t kCheckedMax = 2048;
  static constexpr size_t kCausesMax = 32;
  static constexpr size_t kStoresMax = 32;
  static constexpr size_t kListedMax = 1024;

  /// A store that is passed over, for how many regions.
  struct PassedOver {
    scheduler::Refusal refusal;  // Of the first of them.
    uint64_t regions = 0;
  };
  struct Cause {
    scheduler::DepartureState state = scheduler::DepartureState::kBlocked;
    scheduler::Refusal refusal;           // Of the first region.
    std::optional<scheduler::Rule> rule;  // That finds no store.
    uint64_t regions = 0;
    std::vector<PassedOver> stores;     // Those that could be helped first, then by how often.
    std::vector<std::string> remedies;  // For people: each would do, or help.
  };
  struct RegionLine {
    scheduler::RegionId region;
    scheduler::DepartureState state = scheduler::DepartureState::kBlocked;
    scheduler::Refusal cause;
  };

  uint64_t regions = 0;  // On the store.
  uint64_t checked = 0;
  std::array<uint64_t, scheduler::kDepartureStateCount> by_state{};  // Of the checked ones.
  std::vector<Cause> causes;       // Those of the most regions first.
  std::vector<RegionLine> listed;  // The first that wait or are blocked.
};

/// Looks at the regions on `store`, those that it leads first; lists at most `listed_max` of them. Takes as long as
/// checking so many regions does.
StoreBlockers FindBlockers(const scheduler::PlanContext& context, const RegionTable& regions,
                           scheduler::StoreId store, size_t listed_max);

}  // namespace pd

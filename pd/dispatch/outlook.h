#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "scheduler/filters/plan_context.h"

namespace pd {

/// What any plan may hang on, beside the regions themselves: settings, rules, labels, affinity groups, and of each
/// store what it may take and give for as long as nobody does anything about it. As long as it stays the same, a
/// region that has not changed need not be looked at again. For the thread that plans.
class Outlook {
 public:
  /// Shared with whoever keeps them: another object is another content.
  struct Parts {
    std::shared_ptr<const void> config;
    std::shared_ptr<const void> labels;
    std::shared_ptr<const void> affinity;
    uint64_t schedulers_version = 0;
    scheduler::RegionBounds region_bounds;  // As the stores say.
    bool rules_changed = false;             // Since the last call.

    friend bool operator==(const Parts&, const Parts&) = default;
  };

  /// Whether it has changed since the last call, and whether by itself, as data moves: a store has run short of space,
  /// or has some again; a new one has got its first share.
  enum class Change : uint8_t { kNone, kByItself, kFromOutside };
  Change Look(const scheduler::PlanContext& context, Parts parts);
  void Clear() { *this = {}; }

 private:
  Parts parts_;
  std::vector<uint64_t> stores_;                // A digest each.
  std::vector<std::pair<bool, bool>> filling_;  // Short of space; preparing.
};

}  // namespace pd

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
    uint64_t affinity_wishes = 0;           // What people want of affinity groups ...
    uint64_t scheduler_wishes = 0;          // ... and of schedulers.
    scheduler::RegionBounds region_bounds;  // As the stores say.
    bool rules_changed = false;             // Since the last call.

    friend bool operator==(const Parts&, const Parts&) = default;
  };
  /// What planning itself comes to, and goes by: what schedulers and affinity groups have found.
  struct Findings {
    std::shared_ptr<const void> affinity;
    uint64_t schedulers_version = 0;

    friend bool operator==(const Findings&, const Findings&) = default;
  };

  /// Whether it has changed since the last call, and whether by itself: as data moves, a store has run short of space,
  /// or has some again, or a new one has got its first share; or something was found, and what stores may take and give
  /// of leaders follows it.
  enum class Change : uint8_t { kNone, kByItself, kFromOutside };
  Change Look(const scheduler::PlanContext& context, Parts parts, Findings findings);
  void Clear() { *this = {}; }

 private:
  /// What changes by itself of a store.
  struct Course {
    bool low_space = false;
    bool preparing = false;
    scheduler::StorePauses pauses;

    friend bool operator==(const Course&, const Course&) = default;
  };

  Parts parts_;
  Findings findings_;
  std::vector<uint64_t> stores_;  // A digest each.
  std::vector<Course> courses_;
};

}  // namespace pd

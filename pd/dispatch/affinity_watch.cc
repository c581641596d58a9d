#include "pd/dispatch/affinity_watch.h"

namespace pd {

void AffinityWatch::Turn(const scheduler::PlanContext& context) {
  if (!next_look_) next_look_ = context.now + kLookInterval;
  if (context.now >= *next_look_) {
    groups_.LookAtStores(context);
    next_look_ = context.now + kLookInterval;
  }
  if (context.options.affinity_schedule_limit == 0) {
    if (next_count_) groups_.SetCounts({});
    census_.Clear();
    next_count_.reset();
    return;
  }
  if (next_count_ && context.now < *next_count_) return;
  next_count_ = context.now;
  if (!census_.Step(context, kCountedBatch)) return;
  groups_.SetCounts(census_.counts());
  next_count_ = context.now + kCountInterval;
}

void AffinityWatch::Clear() {
  census_.Clear();
  next_look_.reset();
  next_count_.reset();
}

}  // namespace pd

#pragma once

#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/operator/decision.h"
#include "scheduler/operator/step.h"

namespace scheduler {

/// More keys than this are split at in turns: a command should stay small.
inline constexpr size_t kSplitKeysMax = 256;

/// Splits a region at the bounds of label rules that lie inside it, and if there are none, of placement rules (as in
/// the reference), since it has neither labels nor rules until then.
Decision CheckSplit(const PlanContext& context, const Region& region);

/// A split of the region, of kind split and medium priority; `keys` lie strictly inside it, for policy kUseKey.
Proposal ProposeSplit(const Region& region, std::string desc, SplitPolicy policy,
                      std::vector<std::string> keys);

}  // namespace scheduler

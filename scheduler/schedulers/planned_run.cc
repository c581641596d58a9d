#include "scheduler/schedulers/planned_run.h"

#include <string>
#include <utility>

#include "scheduler/filters/store_filter.h"

namespace scheduler {

std::optional<Refusal> PlannedRun::RefuseTaken(const Region& region) const {
  if (!taken_.contains(region.id)) return RefuseBusyRegion(context_, region);
  return Refusal{Reason::kOperatorExists, StoreId{}, region.id, 0, 0, {}};
}

bool PlannedRun::Take(const Region& region, Result<Proposal> built) {
  const bool ok = built.has_value();
  if (ok) {
    taken_.insert(region.id);
    const Influence added = built->TotalInfluence(region);
    influence_.Add(added);
    proposed_.Add(added);
  }
  decision_.Take(region.id, std::move(built));
  return ok;
}

void PlannedRun::RefuseBalanced(StoreId source, StoreId target, RegionId region,
                                double source_score, double target_score) {
  decision_.Refuse({Reason::kAlreadyBalanced, source, region, source_score, target_score,
                    "target " + std::to_string(target.value)});
}

bool PlannedRun::Refuse(Reason reason, StoreId store, RegionId region) {
  decision_.Refuse({reason, store, region, 0, 0, {}});
  return false;
}

}  // namespace scheduler

#include "pd/cluster/region_log.h"

#include "pd/log/log.h"

namespace pd {

void LogRegionChange(const RegionTable::Outcome& outcome) {
  const scheduler::Region& region = outcome.region;
  if (outcome.before) {
    LogInfo("region Version changed", {{"region-id", region.id.value},
                                       {"old-version", outcome.before->epoch.version},
                                       {"new-version", region.epoch.version},
                                       {"old-start-key", LogKey{outcome.before->start_key}},
                                       {"old-end-key", LogKey{outcome.before->end_key}},
                                       {"start-key", LogKey{region.start_key}},
                                       {"end-key", LogKey{region.end_key}}});
  }
  for (const scheduler::Region& gone : outcome.removed) {
    LogDebug("region is covered by a newer one", {{"region-id", gone.id.value},
                                                  {"newer-region-id", region.id.value},
                                                  {"version", gone.epoch.version},
                                                  {"start-key", LogKey{gone.start_key}},
                                                  {"end-key", LogKey{gone.end_key}}});
  }
}

}  // namespace pd

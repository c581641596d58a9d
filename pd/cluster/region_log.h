#pragma once

#include "pd/cluster/region_table.h"

namespace pd {

/// Writes what a heartbeat changed in the order of keys to the log: one line when a region has a new version (a split
/// or a merge), and at debug one for each region that it covers and that is gone. Keys are subject to
/// security.redact-info-log.
void LogRegionChange(const RegionTable::Outcome& outcome);

}  // namespace pd

#pragma once

#include <cstdint>

#include "scheduler/model/store.h"

namespace scheduler {

/// How full a store is, as one number: soft scores (as in the reference). Higher means "give away". All sizes are MiB.

/// leaders (or their MiB) / weight, with `delta` added to the leaders first.
double LeaderScoreByCount(const Store& store, int64_t delta);
double LeaderScoreBySize(const Store& store, int64_t delta_mib);

/// Version 1: the region size while there is much space, steeply more when space runs out, a line between the two.
/// Uses the instant free space.
struct RegionScoreRatios {
  double high_space = 0.7;
  double low_space = 0.8;
};
double RegionScoreV1(const Store& store, RegionScoreRatios ratios, int64_t delta_mib);

/// Version 2, the default: the region size times a factor that grows as free space shrinks, so that small stores fill
/// up together with large ones. The store's used and free space follow `delta_mib`. `available_bytes` is smoothed, so
/// that what comes and goes by itself moves nothing.
double RegionScoreV2(const Store& store, double low_space_ratio, int64_t delta_mib,
                     double available_bytes);

/// The smoothed free space, which is that of some minutes ago, less what regions have brought since (the reference goes
/// by the former, and so moves too much to a store that fills, and then some of it back).
double AvailableBytesNow(const Store& store);

}  // namespace scheduler

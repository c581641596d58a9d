#pragma once

#include <optional>
#include <string>

#include "scheduler/model/cluster_view.h"

namespace scheduler {

/// Where to split a region so that both parts get about half of this load, by its hot buckets; without CPU time, which
/// is not known of buckets, by bytes. None with less than two hot buckets inside the region, or no such key.
std::optional<std::string> LoadSplitKey(const ClusterView& view, const Region& region,
                                        Access access, LoadDim dim);

/// The boundary in the middle of the region's buckets; none with less than two.
std::optional<std::string> MiddleBucketKey(const Region& region);

}  // namespace scheduler

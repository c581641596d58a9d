#pragma once

#include <vector>

#include "pd/cluster/hot_statistics.h"
#include "proto/pdpb.pb.h"
#include "scheduler/model/store.h"

namespace api {

/// What a store says of itself.
[[nodiscard]] scheduler::StoreStats StatsOf(const pdpb::StoreStats& message);
/// What it says was read on its peers.
[[nodiscard]] std::vector<pd::PeerReads> PeerReadsOf(const pdpb::StoreStats& message);

}  // namespace api

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pd/fsm/command.h"
#include "pd/result.h"
#include "scheduler/model/region.h"
#include "scheduler/model/store.h"

// What the cluster keeps under the reference's paths, as the protobuf messages other tools expect
// there.

namespace pd {

/// metapb.Cluster.
struct ClusterMeta {
  uint64_t id = 0;
  uint32_t max_peer_count = 0;

  friend bool operator==(const ClusterMeta&, const ClusterMeta&) = default;
};

std::string EncodeClusterMeta(const ClusterMeta& meta);
/// kCorrupt when the bytes are no such message; so are the others below.
Result<ClusterMeta> DecodeClusterMeta(std::string_view bytes);

/// metapb.Store: what lasts of a store. Statistics, weights and limits are kept elsewhere.
std::string EncodeStore(const scheduler::Store& store);
Result<scheduler::Store> DecodeStore(std::string_view bytes);

/// metapb.Region: the replicated part of a region.
std::string EncodeRegion(const scheduler::Region& region);
Result<scheduler::Region> DecodeRegion(std::string_view bytes);

/// The replicated part of a region, and a region that knows no more than that.
RegionRecord ToRecord(const scheduler::Region& region);
scheduler::Region FromRecord(RegionRecord record);

}  // namespace pd

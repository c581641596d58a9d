#pragma once

#include "proto/metapb.pb.h"
#include "proto/pdpb.pb.h"
#include "scheduler/model/region.h"

namespace api {

// What stores say of regions, between the wire and the model; as lenient as pd/codec/metapb_codec.h.

/// A heartbeat. Sizes in MiB, peers and flow as reported; the rest of the normalisation is NormalizeReport's.
[[nodiscard]] scheduler::Region ReportOf(const pdpb::RegionHeartbeatRequest& message);

[[nodiscard]] scheduler::Buckets BucketsOf(const metapb::Buckets& message);

/// Version, keys and statistics.
void SetBuckets(const scheduler::Region& region, metapb::Buckets& out);

void AddDownPeers(const scheduler::Region& region,
                  google::protobuf::RepeatedPtrField<pdpb::PeerStats>& out);

}  // namespace api

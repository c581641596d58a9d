#pragma once

#include "proto/metapb.pb.h"
#include "proto/pdpb.pb.h"
#include "scheduler/model/region.h"

namespace api {

// Regions between the wire and the model. What comes off the wire is taken as it is: nothing here refuses, numbers
// outside an enumeration become its first value.

[[nodiscard]] scheduler::Peer PeerOf(const metapb::Peer& message);
void SetPeer(const scheduler::Peer& peer, metapb::Peer& out);

/// What lasts of a region: id, range, epoch, peers, flashback, encryption meta.
[[nodiscard]] scheduler::Region RegionOf(const metapb::Region& message);
void SetRegion(const scheduler::Region& region, metapb::Region& out);

/// A heartbeat. Sizes in MiB, peers and flow as reported; the rest of the normalisation is NormalizeReport's.
[[nodiscard]] scheduler::Region ReportOf(const pdpb::RegionHeartbeatRequest& message);

[[nodiscard]] scheduler::Buckets BucketsOf(const metapb::Buckets& message);

/// Version, keys and statistics.
void SetBuckets(const scheduler::Region& region, metapb::Buckets& out);

void AddDownPeers(const scheduler::Region& region,
                  google::protobuf::RepeatedPtrField<pdpb::PeerStats>& out);
void AddPeers(const std::vector<scheduler::Peer>& peers,
              google::protobuf::RepeatedPtrField<metapb::Peer>& out);

}  // namespace api

#pragma once

#include <vector>

#include "proto/metapb.pb.h"
#include "scheduler/model/region.h"
#include "scheduler/model/store.h"

namespace pd {

// Stores and regions between the model and the messages that both the wire and the records use. A message is taken as
// it is: nothing here refuses, numbers outside an enumeration become its first value.

[[nodiscard]] scheduler::Peer PeerOf(const metapb::Peer& message);
void SetPeer(const scheduler::Peer& peer, metapb::Peer& out);
void AddPeers(const std::vector<scheduler::Peer>& peers,
              google::protobuf::RepeatedPtrField<metapb::Peer>& out);

/// What lasts of a region: id, range, epoch, peers, flashback, encryption meta.
[[nodiscard]] scheduler::Region RegionOf(const metapb::Region& message);
void SetRegion(const scheduler::Region& region, metapb::Region& out);

/// What lasts of a store. Statistics, weights and limits travel elsewhere.
[[nodiscard]] scheduler::Store StoreOf(const metapb::Store& message);
void SetStore(const scheduler::Store& store, metapb::Store& out);

}  // namespace pd

#include "pd/codec/cluster_codec.h"

#include <utility>

#include "pd/codec/metapb_codec.h"
#include "proto/metapb.pb.h"

namespace pd {

std::string EncodeClusterMeta(const ClusterMeta& meta) {
  metapb::Cluster message;
  message.set_id(meta.id);
  message.set_max_peer_count(meta.max_peer_count);
  return message.SerializeAsString();
}

Result<ClusterMeta> DecodeClusterMeta(std::string_view bytes) {
  metapb::Cluster message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "the stored cluster is no metapb.Cluster");
  }
  return ClusterMeta{message.id(), message.max_peer_count()};
}

std::string EncodeStore(const scheduler::Store& store) {
  metapb::Store message;
  SetStore(store, message);
  return message.SerializeAsString();
}

Result<scheduler::Store> DecodeStore(std::string_view bytes) {
  metapb::Store message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "a stored store is no metapb.Store");
  }
  return StoreOf(message);
}

std::string EncodeRegion(const scheduler::Region& region) {
  metapb::Region message;
  SetRegion(region, message);
  return message.SerializeAsString();
}

Result<scheduler::Region> DecodeRegion(std::string_view bytes) {
  metapb::Region message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "a stored region is no metapb.Region");
  }
  return RegionOf(message);
}

RegionRecord ToRecord(const scheduler::Region& region) {
  RegionRecord record;
  record.id = region.id.value;
  record.start_key = region.start_key;
  record.end_key = region.end_key;
  record.conf_ver = region.epoch.conf_ver;
  record.version = region.epoch.version;
  for (const scheduler::Peer& peer : region.peers) {
    record.peers.push_back(
        {peer.id.value, peer.store.value, static_cast<PeerRole>(peer.role), peer.witness});
  }
  record.is_in_flashback = region.in_flashback;
  record.flashback_start_ts = region.flashback_start_ts;
  record.encryption_meta = region.encryption_meta;
  return record;
}

scheduler::Region FromRecord(RegionRecord record) {
  scheduler::Region region;
  region.id = scheduler::RegionId{record.id};
  region.start_key = std::move(record.start_key);
  region.end_key = std::move(record.end_key);
  region.epoch = {record.conf_ver, record.version};
  for (const RegionPeer& peer : record.peers) {
    region.peers.push_back({scheduler::PeerId{peer.id}, scheduler::StoreId{peer.store_id},
                            static_cast<scheduler::PeerRole>(peer.role), peer.is_witness});
  }
  region.in_flashback = record.is_in_flashback;
  region.flashback_start_ts = record.flashback_start_ts;
  region.encryption_meta = std::move(record.encryption_meta);
  return region;
}

}  // namespace pd

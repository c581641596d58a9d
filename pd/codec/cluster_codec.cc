#include "pd/codec/cluster_codec.h"

#include <utility>

#include "proto/metapb.pb.h"

namespace pd {
namespace {

scheduler::StoreState StateOf(metapb::StoreState state) {
  switch (state) {
    case metapb::Offline:
      return scheduler::StoreState::kOffline;
    case metapb::Tombstone:
      return scheduler::StoreState::kTombstone;
    default:
      return scheduler::StoreState::kUp;
  }
}

scheduler::NodeState NodeStateOf(metapb::NodeState state) {
  switch (state) {
    case metapb::Serving:
      return scheduler::NodeState::kServing;
    case metapb::Removing:
      return scheduler::NodeState::kRemoving;
    case metapb::Removed:
      return scheduler::NodeState::kRemoved;
    default:
      return scheduler::NodeState::kPreparing;
  }
}

scheduler::PeerRole RoleOf(metapb::PeerRole role) {
  switch (role) {
    case metapb::Learner:
      return scheduler::PeerRole::kLearner;
    case metapb::IncomingVoter:
      return scheduler::PeerRole::kIncomingVoter;
    case metapb::DemotingVoter:
      return scheduler::PeerRole::kDemotingVoter;
    default:
      return scheduler::PeerRole::kVoter;
  }
}

}  // namespace

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
  message.set_id(store.id.value);
  message.set_address(store.address);
  message.set_peer_address(store.peer_address);
  message.set_status_address(store.status_address);
  message.set_version(store.version);
  message.set_git_hash(store.git_hash);
  message.set_deploy_path(store.deploy_path);
  message.set_start_timestamp(store.start_timestamp_s);
  message.set_last_heartbeat(store.last_heartbeat_unix_ns);
  message.set_physically_destroyed(store.physically_destroyed);
  message.set_state(static_cast<metapb::StoreState>(store.state));
  message.set_node_state(static_cast<metapb::NodeState>(store.node_state));
  for (const scheduler::StoreLabel& label : store.labels) {
    metapb::StoreLabel& out = *message.add_labels();
    out.set_key(label.key);
    out.set_value(label.value);
  }
  return message.SerializeAsString();
}

Result<scheduler::Store> DecodeStore(std::string_view bytes) {
  metapb::Store message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "a stored store is no metapb.Store");
  }
  scheduler::Store store;
  store.id = scheduler::StoreId{message.id()};
  store.address = message.address();
  store.peer_address = message.peer_address();
  store.status_address = message.status_address();
  store.version = message.version();
  store.git_hash = message.git_hash();
  store.deploy_path = message.deploy_path();
  store.start_timestamp_s = message.start_timestamp();
  store.last_heartbeat_unix_ns = message.last_heartbeat();
  store.physically_destroyed = message.physically_destroyed();
  store.state = StateOf(message.state());
  store.node_state = NodeStateOf(message.node_state());
  for (const metapb::StoreLabel& label : message.labels()) {
    store.labels.push_back({label.key(), label.value()});
  }
  return store;
}

std::string EncodeRegion(const scheduler::Region& region) {
  metapb::Region message;
  message.set_id(region.id.value);
  message.set_start_key(region.start_key);
  message.set_end_key(region.end_key);
  message.mutable_region_epoch()->set_conf_ver(region.epoch.conf_ver);
  message.mutable_region_epoch()->set_version(region.epoch.version);
  for (const scheduler::Peer& peer : region.peers) {
    metapb::Peer& out = *message.add_peers();
    out.set_id(peer.id.value);
    out.set_store_id(peer.store.value);
    out.set_role(static_cast<metapb::PeerRole>(peer.role));
    out.set_is_witness(peer.witness);
  }
  message.set_is_in_flashback(region.in_flashback);
  message.set_flashback_start_ts(region.flashback_start_ts);
  if (!region.encryption_meta.empty()) {
    // Bytes of such a message, so they parse.
    static_cast<void>(message.mutable_encryption_meta()->ParseFromString(region.encryption_meta));
  }
  return message.SerializeAsString();
}

Result<scheduler::Region> DecodeRegion(std::string_view bytes) {
  metapb::Region message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kCorrupt, "a stored region is no metapb.Region");
  }
  scheduler::Region region;
  region.id = scheduler::RegionId{message.id()};
  region.start_key = message.start_key();
  region.end_key = message.end_key();
  region.epoch = {message.region_epoch().conf_ver(), message.region_epoch().version()};
  for (const metapb::Peer& peer : message.peers()) {
    region.peers.push_back({scheduler::PeerId{peer.id()}, scheduler::StoreId{peer.store_id()},
                            RoleOf(peer.role()), peer.is_witness()});
  }
  region.in_flashback = message.is_in_flashback();
  region.flashback_start_ts = message.flashback_start_ts();
  region.encryption_meta = message.encryption_meta().SerializeAsString();
  return region;
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

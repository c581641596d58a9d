#include "pd/codec/metapb_codec.h"

namespace pd {
namespace {

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

}  // namespace

scheduler::Peer PeerOf(const metapb::Peer& message) {
  return {scheduler::PeerId{message.id()}, scheduler::StoreId{message.store_id()},
          RoleOf(message.role()), message.is_witness()};
}

void SetPeer(const scheduler::Peer& peer, metapb::Peer& out) {
  out.set_id(peer.id.value);
  out.set_store_id(peer.store.value);
  out.set_role(static_cast<metapb::PeerRole>(peer.role));
  out.set_is_witness(peer.witness);
}

void AddPeers(const std::vector<scheduler::Peer>& peers,
              google::protobuf::RepeatedPtrField<metapb::Peer>& out) {
  out.Reserve(static_cast<int>(peers.size()));
  for (const scheduler::Peer& peer : peers) SetPeer(peer, *out.Add());
}

scheduler::Region RegionOf(const metapb::Region& message) {
  scheduler::Region region;
  region.id = scheduler::RegionId{message.id()};
  region.start_key = message.start_key();
  region.end_key = message.end_key();
  region.epoch = {message.region_epoch().conf_ver(), message.region_epoch().version()};
  region.peers.reserve(static_cast<size_t>(message.peers_size()));
  for (const metapb::Peer& peer : message.peers()) region.peers.push_back(PeerOf(peer));
  region.in_flashback = message.is_in_flashback();
  region.flashback_start_ts = message.flashback_start_ts();
  if (message.has_encryption_meta()) {
    region.encryption_meta = message.encryption_meta().SerializeAsString();
  }
  return region;
}

void SetRegion(const scheduler::Region& region, metapb::Region& out) {
  out.set_id(region.id.value);
  out.set_start_key(region.start_key);
  out.set_end_key(region.end_key);
  if (region.epoch != scheduler::RegionEpoch{}) {
    out.mutable_region_epoch()->set_conf_ver(region.epoch.conf_ver);
    out.mutable_region_epoch()->set_version(region.epoch.version);
  }
  AddPeers(region.peers, *out.mutable_peers());
  out.set_is_in_flashback(region.in_flashback);
  out.set_flashback_start_ts(region.flashback_start_ts);
  if (!region.encryption_meta.empty()) {
    // Bytes that this server took from such a message before, so they parse.
    static_cast<void>(out.mutable_encryption_meta()->ParseFromString(region.encryption_meta));
  }
}

scheduler::Store StoreOf(const metapb::Store& message) {
  scheduler::Store store;
  store.id = scheduler::StoreId{message.id()};
  store.address = message.address();
  store.peer_address = message.peer_address();
  store.status_address = message.status_address();
  store.version = message.version();
  store.git_hash = message.git_hash();
  store.deploy_path = message.deploy_path();
  store.start_timestamp_s = message.start_timestamp();
  store.state = StateOf(message.state());
  store.node_state = NodeStateOf(message.node_state());
  store.physically_destroyed = message.physically_destroyed();
  store.last_heartbeat_unix_ns = message.last_heartbeat();
  for (const metapb::StoreLabel& label : message.labels()) {
    store.labels.push_back({label.key(), label.value()});
  }
  return store;
}

void SetStore(const scheduler::Store& store, metapb::Store& out) {
  out.set_id(store.id.value);
  out.set_address(store.address);
  out.set_peer_address(store.peer_address);
  out.set_status_address(store.status_address);
  out.set_version(store.version);
  out.set_git_hash(store.git_hash);
  out.set_deploy_path(store.deploy_path);
  out.set_start_timestamp(store.start_timestamp_s);
  out.set_state(static_cast<metapb::StoreState>(store.state));
  out.set_node_state(static_cast<metapb::NodeState>(store.node_state));
  out.set_physically_destroyed(store.physically_destroyed);
  out.set_last_heartbeat(store.last_heartbeat_unix_ns);
  for (const scheduler::StoreLabel& label : store.labels) {
    metapb::StoreLabel& message = *out.add_labels();
    message.set_key(label.key);
    message.set_value(label.value);
  }
}

}  // namespace pd

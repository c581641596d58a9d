#include "api/convert/region_convert.h"

#include "scheduler/model/classify.h"

namespace api {
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

scheduler::ReplicationState StateOf(replication_modepb::RegionReplicationState state) {
  switch (state) {
    case replication_modepb::SIMPLE_MAJORITY:
      return scheduler::ReplicationState::kSimpleMajority;
    case replication_modepb::INTEGRITY_OVER_LABEL:
      return scheduler::ReplicationState::kIntegrityOverLabel;
    default:
      return scheduler::ReplicationState::kUnknown;
  }
}

scheduler::RegionFlow FlowOf(const pdpb::RegionHeartbeatRequest& message) {
  const pdpb::QueryStats& queries = message.query_stats();
  return {.bytes_written = message.bytes_written(),
          .keys_written = message.keys_written(),
          .bytes_read = message.bytes_read(),
          .keys_read = message.keys_read(),
          .write_queries = queries.put() + queries.delete_() + queries.deleterange() +
                           queries.prewrite() + queries.acquirepessimisticlock() +
                           queries.commit() + queries.rollback(),
          .read_queries = queries.get() + queries.scan() + queries.coprocessor(),
          .cpu_usage = message.cpu_usage(),
          .interval_start_s = message.interval().start_timestamp(),
          .interval_end_s = message.interval().end_timestamp()};
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

scheduler::Region ReportOf(const pdpb::RegionHeartbeatRequest& message) {
  scheduler::Region region = RegionOf(message.region());
  region.leader = PeerOf(message.leader());
  region.term = message.term();
  for (const pdpb::PeerStats& down : message.down_peers()) {
    region.down_peers.push_back({PeerOf(down.peer()), down.down_seconds()});
  }
  for (const metapb::Peer& peer : message.pending_peers()) {
    region.pending_peers.push_back(PeerOf(peer));
  }
  region.flow = FlowOf(message);
  region.size_mib = scheduler::SizeMib(message.approximate_size());
  region.keys = message.approximate_keys();
  region.kv_size_mib = scheduler::SizeMib(message.approximate_kv_size());
  region.columnar_size_mib = scheduler::SizeMib(message.approximate_columnar_kv_size());
  region.replication = {StateOf(message.replication_status().state()),
                        message.replication_status().state_id()};
  if (message.has_bucket_meta()) {
    region.buckets.version = message.bucket_meta().version();
    region.buckets.keys.assign(message.bucket_meta().keys().begin(),
                               message.bucket_meta().keys().end());
  }
  return region;
}

scheduler::Buckets BucketsOf(const metapb::Buckets& message) {
  const auto list = [](const auto& numbers) {
    return std::vector<uint64_t>(numbers.begin(), numbers.end());
  };
  const metapb::BucketStats& stats = message.stats();
  scheduler::Buckets buckets;
  buckets.version = message.version();
  buckets.period_ms = message.period_in_ms();
  buckets.keys.assign(message.keys().begin(), message.keys().end());
  buckets.read_bytes = list(stats.read_bytes());
  buckets.write_bytes = list(stats.write_bytes());
  buckets.read_qps = list(stats.read_qps());
  buckets.write_qps = list(stats.write_qps());
  buckets.read_keys = list(stats.read_keys());
  buckets.write_keys = list(stats.write_keys());
  return buckets;
}

void SetBuckets(const scheduler::Region& region, metapb::Buckets& out) {
  const scheduler::Buckets& buckets = region.buckets;
  out.set_region_id(region.id.value);
  out.set_version(buckets.version);
  out.set_period_in_ms(buckets.period_ms);
  for (const std::string& key : buckets.keys) out.add_keys(key);
  if (buckets.read_bytes.empty() && buckets.write_bytes.empty()) return;
  metapb::BucketStats& stats = *out.mutable_stats();
  stats.mutable_read_bytes()->Add(buckets.read_bytes.begin(), buckets.read_bytes.end());
  stats.mutable_write_bytes()->Add(buckets.write_bytes.begin(), buckets.write_bytes.end());
  stats.mutable_read_qps()->Add(buckets.read_qps.begin(), buckets.read_qps.end());
  stats.mutable_write_qps()->Add(buckets.write_qps.begin(), buckets.write_qps.end());
  stats.mutable_read_keys()->Add(buckets.read_keys.begin(), buckets.read_keys.end());
  stats.mutable_write_keys()->Add(buckets.write_keys.begin(), buckets.write_keys.end());
}

void AddDownPeers(const scheduler::Region& region,
                  google::protobuf::RepeatedPtrField<pdpb::PeerStats>& out) {
  for (const scheduler::DownPeer& down : region.down_peers) {
    pdpb::PeerStats& stats = *out.Add();
    SetPeer(down.peer, *stats.mutable_peer());
    stats.set_down_seconds(down.down_s);
  }
}

void AddPeers(const std::vector<scheduler::Peer>& peers,
              google::protobuf::RepeatedPtrField<metapb::Peer>& out) {
  out.Reserve(static_cast<int>(peers.size()));
  for (const scheduler::Peer& peer : peers) SetPeer(peer, *out.Add());
}

}  // namespace api

#include "api/convert/region_convert.h"

#include <algorithm>

#include "pd/codec/metapb_codec.h"
#include "scheduler/model/classify.h"

namespace api {
namespace {

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

scheduler::Region ReportOf(const pdpb::RegionHeartbeatRequest& message) {
  scheduler::Region region = pd::RegionOf(message.region());
  region.leader = pd::PeerOf(message.leader());
  region.term = message.term();
  for (const pdpb::PeerStats& down : message.down_peers()) {
    region.down_peers.push_back({pd::PeerOf(down.peer()), down.down_seconds()});
  }
  for (const metapb::Peer& peer : message.pending_peers()) {
    region.pending_peers.push_back(pd::PeerOf(peer));
  }
  region.flow = FlowOf(message);
  region.size_mib = scheduler::SizeMib(message.approximate_size());
  region.keys = std::min(message.approximate_keys(), scheduler::kRegionKeysMost);
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
    pd::SetPeer(down.peer, *stats.mutable_peer());
    stats.set_down_seconds(down.down_s);
  }
}

}  // namespace api

#include "tests/storesim/convert.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace storesim {
namespace {

constexpr uint64_t kBytesPerKey = 100;

metapb::PeerRole ToRole(Role role) {
  switch (role) {
    case Role::kVoter:
      return metapb::Voter;
    case Role::kLearner:
      return metapb::Learner;
    case Role::kIncomingVoter:
      return metapb::IncomingVoter;
    case Role::kDemotingVoter:
      return metapb::DemotingVoter;
  }
  return metapb::Voter;
}

void FillPeer(const Peer& peer, metapb::Peer* out) {
  out->set_id(peer.id);
  out->set_store_id(peer.store_id);
  out->set_role(ToRole(peer.role));
}

PeerChange ReadChange(const pdpb::ChangePeer& change) {
  PeerChange out;
  out.peer.id = change.peer().id();
  out.peer.store_id = change.peer().store_id();
  switch (change.change_type()) {
    case eraftpb::AddLearnerNode:
      out.kind = PeerChange::Kind::kAddLearner;
      break;
    case eraftpb::RemoveNode:
      out.kind = PeerChange::Kind::kRemove;
      break;
    default:
      out.kind = PeerChange::Kind::kAddVoter;
  }
  return out;
}

/// A key written or read is a query.
void FillQueries(uint64_t written, uint64_t read, pdpb::QueryStats& queries) {
  queries.set_put(written);
  queries.set_get(read);
}

}  // namespace

metapb::Store StoreMeta(const Store& store, uint64_t now_unix_s) {
  metapb::Store meta;
  meta.set_id(store.id);
  char address[32];
  std::snprintf(address, sizeof(address), "127.1.%d.%d", store.number / 250,
                store.number % 250 + 1);
  meta.set_address(std::string(address) + ":20160");
  meta.set_status_address(std::string(address) + ":20180");
  meta.set_version("8.5.0");
  meta.set_start_timestamp(static_cast<int64_t>(now_unix_s));
  for (const auto& [key, value] : store.labels) {
    metapb::StoreLabel* label = meta.add_labels();
    label->set_key(key);
    label->set_value(value);
  }
  return meta;
}

metapb::Region RegionMeta(const Region& region) {
  metapb::Region meta;
  meta.set_id(region.id);
  meta.set_start_key(region.start_key);
  meta.set_end_key(region.end_key);
  meta.mutable_region_epoch()->set_conf_ver(region.conf_ver);
  meta.mutable_region_epoch()->set_version(region.version);
  for (const Peer& peer : region.peers) FillPeer(peer, meta.add_peers());
  return meta;
}

pdpb::RegionHeartbeatRequest RegionReport(const World& world, const Region& region, int64_t now_ms,
                                          uint64_t now_unix_s) {
  pdpb::RegionHeartbeatRequest report;
  *report.mutable_region() = RegionMeta(region);
  report.set_term(region.term);
  for (const Peer& peer : region.peers) {
    const Store& store = world.stores().at(peer.store_id);
    if (peer.store_id == region.leader_store) FillPeer(peer, report.mutable_leader());
    if (peer.pending) FillPeer(peer, report.add_pending_peers());
    if (store.up) continue;
    pdpb::PeerStats* down = report.add_down_peers();
    FillPeer(peer, down->mutable_peer());
    down->set_down_seconds(static_cast<uint64_t>((now_ms - store.down_since_ms) / 1000));
  }
  report.set_approximate_size(region.size_bytes);
  report.set_approximate_kv_size(region.size_bytes);
  report.set_approximate_keys(region.keys);
  const auto interval_s =
      static_cast<uint64_t>(std::clamp<int64_t>((now_ms - region.reported_ms) / 1000, 1, 3600));
  report.mutable_interval()->set_start_timestamp(now_unix_s - interval_s);
  report.mutable_interval()->set_end_timestamp(now_unix_s);
  report.set_bytes_written(region.load.write_bytes_per_s * interval_s);
  report.set_keys_written(region.load.write_bytes_per_s * interval_s / kBytesPerKey);
  report.set_bytes_read(region.load.read_bytes_per_s * interval_s);
  report.set_keys_read(region.load.read_bytes_per_s * interval_s / kBytesPerKey);
  FillQueries(report.keys_written(), report.keys_read(), *report.mutable_query_stats());
  return report;
}

pdpb::StoreHeartbeatRequest StoreReport(const Store& store, Load load, int64_t interval_ms,
                                        uint64_t now_unix_s) {
  pdpb::StoreHeartbeatRequest report;
  pdpb::StoreStats& stats = *report.mutable_stats();
  stats.set_store_id(store.id);
  stats.set_capacity(store.capacity_bytes);
  stats.set_used_size(store.used_bytes);
  stats.set_available(store.capacity_bytes - std::min(store.capacity_bytes, store.used_bytes));
  stats.set_region_count(static_cast<uint32_t>(store.peers));
  stats.set_sending_snap_count(static_cast<uint32_t>(store.sending));
  stats.set_receiving_snap_count(static_cast<uint32_t>(store.receiving));
  stats.set_start_time(static_cast<uint32_t>(now_unix_s));
  stats.set_slow_score(static_cast<uint64_t>(store.slow_score));
  const auto interval_s = static_cast<uint64_t>(std::max<int64_t>(1, interval_ms / 1000));
  stats.mutable_interval()->set_start_timestamp(now_unix_s - interval_s);
  stats.mutable_interval()->set_end_timestamp(now_unix_s);
  stats.set_bytes_written(load.write_bytes_per_s * interval_s);
  stats.set_keys_written(load.write_bytes_per_s * interval_s / kBytesPerKey);
  stats.set_bytes_read(load.read_bytes_per_s * interval_s);
  stats.set_keys_read(load.read_bytes_per_s * interval_s / kBytesPerKey);
  FillQueries(stats.keys_written(), stats.keys_read(), *stats.mutable_query_stats());
  return report;
}

void AddReads(const Region& region, int64_t interval_ms, pdpb::StoreStats& stats) {
  if (region.load.read_bytes_per_s == 0) return;
  const auto interval_s = static_cast<uint64_t>(std::max<int64_t>(1, interval_ms / 1000));
  pdpb::PeerStat& reads = *stats.add_peer_stats();
  reads.set_region_id(region.id);
  reads.set_read_bytes(region.load.read_bytes_per_s * interval_s);
  reads.set_read_keys(reads.read_bytes() / kBytesPerKey);
  FillQueries(0, reads.read_keys(), *reads.mutable_query_stats());
}

std::optional<StepRequest> ReadStep(const pdpb::RegionHeartbeatResponse& response) {
  StepRequest request;
  request.region_id = response.region_id();
  request.conf_ver = response.region_epoch().conf_ver();
  request.version = response.region_epoch().version();
  if (response.has_transfer_leader()) {
    MoveLeader move;
    for (const metapb::Peer& peer : response.transfer_leader().peers()) {
      move.to_stores.push_back(peer.store_id());
    }
    if (response.transfer_leader().peer().store_id() != 0) {
      move.to_stores.push_back(response.transfer_leader().peer().store_id());
    }
    request.step = move;
    return request;
  }
  if (response.has_split_region()) {
    if (response.split_region().policy() != pdpb::USEKEY) return std::nullopt;
    const auto& keys = response.split_region().keys();
    request.step = SplitAt{{keys.begin(), keys.end()}, {}};
    return request;
  }
  if (response.has_merge()) {
    const metapb::Region& target = response.merge().target();
    request.step =
        MergeInto{target.id(), target.region_epoch().conf_ver(), target.region_epoch().version()};
    return request;
  }
  ChangePeers change;
  if (response.has_change_peer()) {
    change.changes.push_back(ReadChange(response.change_peer()));
  } else if (response.has_change_peer_v2()) {
    for (const pdpb::ChangePeer& one : response.change_peer_v2().changes()) {
      change.changes.push_back(ReadChange(one));
    }
  } else {
    return std::nullopt;
  }
  request.step = change;
  return request;
}

std::vector<SplitIds> ReadSplitIds(const pdpb::AskBatchSplitResponse& response) {
  std::vector<SplitIds> all;
  for (const pdpb::SplitID& ids : response.ids()) {
    all.push_back({ids.new_region_id(), {ids.new_peer_ids().begin(), ids.new_peer_ids().end()}});
  }
  return all;
}

DriverSays ReadOperator(const grpc::Status& status, const pdpb::GetOperatorResponse& response) {
  if (!status.ok()) return DriverSays::kNoAnswer;
  if (response.header().has_error()) {
    return response.header().error().type() == pdpb::REGION_NOT_FOUND ? DriverSays::kNothingRuns
                                                                      : DriverSays::kNoAnswer;
  }
  return response.status() == pdpb::RUNNING ? DriverSays::kRunning : DriverSays::kNothingRuns;
}

}  // namespace storesim

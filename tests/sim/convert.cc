#include "tests/sim/convert.h"

#include <algorithm>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

namespace sim {
namespace {

constexpr uint64_t kMib = 1024 * 1024;

scheduler::PeerRole RoleOf(storesim::Role role) {
  switch (role) {
    case storesim::Role::kVoter:
      return scheduler::PeerRole::kVoter;
    case storesim::Role::kLearner:
      return scheduler::PeerRole::kLearner;
    case storesim::Role::kIncomingVoter:
      return scheduler::PeerRole::kIncomingVoter;
    case storesim::Role::kDemotingVoter:
      return scheduler::PeerRole::kDemotingVoter;
  }
  return scheduler::PeerRole::kVoter;
}

storesim::PeerChange ChangeOf(const scheduler::PeerChange& change) {
  using Kind = storesim::PeerChange::Kind;
  storesim::PeerChange out;
  out.kind = change.type == scheduler::PeerChangeType::kAddNode      ? Kind::kAddVoter
             : change.type == scheduler::PeerChangeType::kRemoveNode ? Kind::kRemove
                                                                     : Kind::kAddLearner;
  out.peer.id = change.peer.id.value;
  out.peer.store_id = change.peer.store.value;
  return out;
}

constexpr uint64_t kBytesPerKey = 100;

/// What flowed since the last report.
scheduler::RegionFlow FlowOf(const storesim::Load& load, int64_t since_ms, int64_t now_ms) {
  const auto seconds =
      static_cast<uint64_t>(std::clamp<int64_t>((now_ms - since_ms) / 1000, 1, 300));
  scheduler::RegionFlow flow;
  flow.interval_end_s = static_cast<uint64_t>(now_ms / 1000);
  flow.interval_start_s = flow.interval_end_s - seconds;
  flow.bytes_written = load.write_bytes_per_s * seconds;
  flow.keys_written = flow.bytes_written / kBytesPerKey;
  flow.write_queries = flow.keys_written;
  flow.bytes_read = load.read_bytes_per_s * seconds;
  flow.keys_read = flow.bytes_read / kBytesPerKey;
  flow.read_queries = flow.keys_read;
  return flow;
}

struct Steps {
  using Step = std::optional<storesim::Step>;

  Step operator()(const scheduler::TransferLeaderCommand& command) const {
    storesim::MoveLeader move;
    // The first choice, if it can.
    move.to_stores.push_back(command.peer.store.value);
    for (const scheduler::Peer& peer : command.peers) move.to_stores.push_back(peer.store.value);
    return move;
  }
  Step operator()(const scheduler::ChangePeerCommand& command) const {
    return storesim::ChangePeers{{ChangeOf(command.change)}};
  }
  Step operator()(const scheduler::ChangePeerV2Command& command) const {
    storesim::ChangePeers changes;
    for (const scheduler::PeerChange& change : command.changes) {
      changes.changes.push_back(ChangeOf(change));
    }
    return changes;
  }
  Step operator()(const scheduler::MergeCommand& command) const {
    const scheduler::Region& target = command.target;
    return storesim::MergeInto{target.id.value, target.epoch.conf_ver, target.epoch.version};
  }
  Step operator()(const scheduler::SplitCommand& command) const {
    if (command.policy != scheduler::SplitPolicy::kUseKey) return {};
    return storesim::SplitAt{command.keys, {}};
  }
  Step operator()(const scheduler::SwitchWitnessCommand&) const { return {}; }
};

}  // namespace

scheduler::Region ReportOf(const storesim::World& world, const storesim::Region& region,
                           int64_t now_ms) {
  scheduler::Region report;
  report.id = {region.id};
  report.start_key = region.start_key;
  report.end_key = region.end_key;
  report.epoch = {region.conf_ver, region.version};
  report.term = region.term;
  report.size_mib = region.size_bytes / kMib;
  report.keys = region.keys;
  if (region.load.Any()) report.flow = FlowOf(region.load, region.reported_ms, now_ms);
  for (const storesim::Peer& one : region.peers) {
    const scheduler::Peer peer{{one.id}, {one.store_id}, RoleOf(one.role), false};
    report.peers.push_back(peer);
    const storesim::Store& store = world.stores().at(one.store_id);
    if (one.store_id == region.leader_store) report.leader = peer;
    if (one.pending) report.pending_peers.push_back(peer);
    if (!store.up) {
      const auto down_s = static_cast<uint64_t>((now_ms - store.down_since_ms) / 1000);
      report.down_peers.push_back({peer, down_s});
    }
  }
  std::ranges::sort(report.pending_peers, {}, &scheduler::Peer::id);
  std::ranges::sort(report.down_peers, {}, [](const auto& down) { return down.peer.id; });
  return report;
}

pd::StoreTable::Heartbeat HeartbeatOf(const storesim::Store& store) {
  pd::StoreTable::Heartbeat heartbeat;
  heartbeat.id = {store.id};
  scheduler::StoreStats& stats = heartbeat.stats;
  stats.capacity_bytes = store.capacity_bytes;
  stats.used_bytes = store.used_bytes;
  stats.available_bytes = store.capacity_bytes - std::min(store.capacity_bytes, store.used_bytes);
  stats.slow_score = static_cast<uint64_t>(store.slow_score);
  stats.region_count = static_cast<uint32_t>(store.peers);
  stats.sending_snapshots = static_cast<uint32_t>(store.sending);
  stats.receiving_snapshots = static_cast<uint32_t>(store.receiving);
  return heartbeat;
}

LoadedHeartbeat LoadedHeartbeatOf(const storesim::World& world, const storesim::Store& store,
                                  int64_t interval_ms, int64_t now_ms) {
  LoadedHeartbeat loaded;
  loaded.heartbeat = HeartbeatOf(store);
  scheduler::StoreStats& stats = loaded.heartbeat.stats;
  const auto seconds = static_cast<uint64_t>(std::max<int64_t>(1, interval_ms / 1000));
  stats.interval_end_s = static_cast<uint64_t>(now_ms / 1000);
  stats.interval_start_s = stats.interval_end_s - seconds;
  for (const auto& [id, region] : world.regions()) {
    if (!region.load.Any() || region.PeerOn(store.id) == nullptr) continue;
    stats.bytes_written += region.load.write_bytes_per_s * seconds;
    if (region.leader_store != store.id || region.load.read_bytes_per_s == 0) continue;
    const uint64_t bytes = region.load.read_bytes_per_s * seconds;
    stats.bytes_read += bytes;
    loaded.reads.push_back({{id}, bytes, bytes / kBytesPerKey, bytes / kBytesPerKey, 0});
  }
  stats.keys_written = stats.write_queries = stats.bytes_written / kBytesPerKey;
  stats.keys_read = stats.read_queries = stats.bytes_read / kBytesPerKey;
  return loaded;
}

scheduler::Store StoreMetaOf(const storesim::Store& store) {
  scheduler::Store meta;
  meta.id = {store.id};
  meta.address = "tikv" + std::to_string(store.id) + ":20160";
  meta.version = "8.5.0";
  for (const auto& [key, value] : store.labels) meta.labels.push_back({key, value});
  return meta;
}

void AskSplitIds(Driver& driver, const storesim::World& world, const storesim::Region& region,
                 int64_t now_ms, storesim::SplitAt& split) {
  const auto ids = driver.cluster().AskSplit(ReportOf(world, region, now_ms),
                                             static_cast<uint32_t>(split.keys.size()));
  if (!ids) return;
  for (const pd::Cluster::SplitIds& one : *ids) split.ids.push_back({one.region_id, one.peer_ids});
}

std::optional<storesim::StepRequest> RequestOf(const Command& command) {
  auto step = std::visit(Steps{}, command.step);
  if (!step) return {};
  const scheduler::Region& region = command.region;
  return storesim::StepRequest{region.id.value, region.epoch.conf_ver, region.epoch.version,
                               *std::move(step)};
}

std::optional<Received> Receive(Driver& driver, const storesim::World& world,
                                const Command& command, int64_t now_ms,
                                const std::function<bool(uint64_t store)>& hears) {
  const uint64_t store = command.region.leader.store.value;
  const auto found = world.regions().find(command.region.id.value);
  if (store == 0 || !hears(store) || found == world.regions().end()) return {};
  auto request = RequestOf(command);
  REQUIRE(request.has_value());
  const storesim::Region& region = found->second;
  const bool fresh = region.conf_ver == request->conf_ver && region.version == request->version &&
                     region.leader_store == store && !region.changing;
  if (!fresh) return {};
  if (auto* split = std::get_if<storesim::SplitAt>(&request->step)) {
    AskSplitIds(driver, world, region, now_ms, *split);
  }
  const auto info = driver.coordinator().operators().Find({region.id});
  REQUIRE((info && info->op.started_at()));
  return Received{&region, *std::move(request), info->op};
}

}  // namespace sim

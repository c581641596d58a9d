#include "api/http/dashboard_json.h"

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "api/http/json.h"
#include "pd/version.h"

namespace api {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;  // FORMAT of web/src/api/types.ts.

const char* NodeStateName(scheduler::NodeState state) {
  switch (state) {
    case scheduler::NodeState::kPreparing:
      return "Preparing";
    case scheduler::NodeState::kServing:
      return "Serving";
    case scheduler::NodeState::kRemoving:
      return "Removing";
    case scheduler::NodeState::kRemoved:
      return "Removed";
  }
  return "";
}

template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

struct Rates {
  uint64_t read = 0;
  uint64_t write = 0;
};

Rates RatesOf(const scheduler::StoreStats& stats) {
  if (stats.interval_end_s <= stats.interval_start_s) return {};
  const uint64_t seconds = stats.interval_end_s - stats.interval_start_s;
  return {stats.bytes_read / seconds, stats.bytes_written / seconds};
}

Json MemberJson(const DashboardMember& member) {
  const pd::Member& known = member.detail.member;
  return {{"name", known.name},
          {"id", std::to_string(known.id)},
          {"client_urls", known.client_urls},
          {"peer_urls", known.peer_urls},
          {"leader", member.leader},
          {"healthy", OrNull(member.healthy)},
          {"priority", member.detail.leader_priority},
          {"version", member.detail.binary_version}};
}

Json ProgressJson(const std::optional<pd::StoreProgress::Report>& progress) {
  if (!progress) return nullptr;
  const bool never = progress->left_s == scheduler::Progress::kNever;
  return {{"fraction", progress->fraction},
          {"speed_mib_per_s", progress->speed_mib_per_s},
          {"left_s", never ? Json() : Json(progress->left_s)}};
}

Json StoreJson(const DashboardStore& entry) {
  const scheduler::Store& store = entry.store;
  Json labels = Json::array();
  for (const scheduler::StoreLabel& label : store.labels) {
    labels.push_back({{"key", label.key}, {"value", label.value}});
  }
  const Rates rates = RatesOf(store.stats);
  return {{"id", store.id.value},
          {"address", store.address},
          {"status_address", store.status_address},
          {"version", store.version},
          {"labels", std::move(labels)},
          {"state", entry.state},
          {"node_state", NodeStateName(store.node_state)},
          {"capacity_bytes", store.stats.capacity_bytes},
          {"available_bytes", store.stats.available_bytes},
          {"used_bytes", store.stats.used_bytes},
          {"leader_count", store.counts.leaders},
          {"region_count", store.counts.regions()},
          {"learner_count", store.counts.learners},
          {"pending_peer_count", store.counts.pending},
          {"leader_size_mib", store.counts.leader_size_mib},
          {"region_size_mib", store.counts.region_size_mib()},
          {"leader_score", entry.leader_score},
          {"region_score", entry.region_score},
          {"leader_weight", store.leader_weight},
          {"region_weight", store.region_weight},
          {"read_bytes_per_s", rates.read},
          {"write_bytes_per_s", rates.write},
          {"sending_snapshots", store.stats.sending_snapshots},
          {"receiving_snapshots", store.stats.receiving_snapshots},
          {"slow_score", store.stats.slow_score},
          {"busy", store.stats.busy},
          {"low_space", entry.low_space},
          {"progress", ProgressJson(entry.progress)},
          {"heartbeat_age_ms", OrNull(entry.heartbeat_age_ms)},
          {"start_time_s", store.stats.start_time_s}};
}

Json OperatorJson(const DashboardOperator& op) {
  return {{"region_id", op.region_id},
          {"desc", op.desc},
          {"brief", op.brief},
          {"kinds", op.kinds},
          {"priority", op.priority},
          {"status", op.status},
          {"why", op.why},
          {"steps", op.steps},
          {"current_step", op.current_step},
          {"size_mib", op.size_mib},
          {"age_ms", op.age_ms},
          {"timeout_ms", op.timeout_ms},
          {"ended_ms_ago", OrNull(op.ended_ms_ago)},
          {"cancel_reason", op.cancel_reason}};
}

Json RefusalJson(const DashboardRefusal& refusal) {
  return {{"source", refusal.source},
          {"reason", refusal.reason},
          {"text", refusal.text},
          {"count", refusal.count}};
}

Json SchedulerRefusalJson(const DashboardSchedulerRefusal& refusal) {
  return {{"reason", refusal.reason},
          {"store_id", OrNull(refusal.store_id)},
          {"text", refusal.text},
          {"remedy", refusal.remedy},
          {"times", refusal.times}};
}

template <class List, class ToJson>
Json ListJson(const List& list, ToJson to_json) {
  Json json = Json::array();
  for (const auto& entry : list) json.push_back(to_json(entry));
  return json;
}

Json SchedulerJson(const DashboardScheduler& scheduler) {
  Json last = nullptr;
  if (scheduler.proposed_last) {
    last = {{"ms_ago", scheduler.proposed_last->ms_ago},
            {"region_id", scheduler.proposed_last->region_id},
            {"brief", scheduler.proposed_last->brief},
            {"why", scheduler.proposed_last->why}};
  }
  return {{"name", scheduler.name},
          {"status", scheduler.status},
          {"store_ids", scheduler.store_ids},
          {"resumes_in_ms", OrNull(scheduler.resumes_in_ms)},
          {"kind", scheduler.kind},
          {"running", scheduler.running},
          {"limit", OrNull(scheduler.limit)},
          {"ran_ms_ago", OrNull(scheduler.ran_ms_ago)},
          {"proposed_latest", scheduler.proposed_latest},
          {"proposed_total", scheduler.proposed_total},
          {"proposed_last", std::move(last)},
          {"refusals", ListJson(scheduler.refusals, SchedulerRefusalJson)},
          {"refusals_total", scheduler.refusals_total}};
}

/// Tenths are enough for people, and short.
double Tenths(double value) { return std::round(value * 10) / 10; }

Json RatesJson(const DashboardRates& rates) {
  return Json::array({Tenths(rates.bytes), Tenths(rates.keys), Tenths(rates.queries)});
}

Json StoreLoadJson(const DashboardStoreLoad& load) {
  return {{"id", load.store_id}, {"read", RatesJson(load.read)}, {"write", RatesJson(load.write)}};
}

Json HotPeerJson(const DashboardHotPeer& peer) {
  return {{"region_id", peer.region_id},
          {"store_id", peer.store_id},
          {"role", peer.role},
          {"degree", peer.degree},
          {"rates", RatesJson(peer.rates)}};
}

Json HotPeersJson(const DashboardHotPeers& peers) {
  return {{"total", peers.total}, {"hottest", ListJson(peers.hottest, HotPeerJson)}};
}

Json HotJson(const DashboardHot& hot) {
  Json peers = {{"read_peers", HotPeersJson(hot.peers.read_peers)},
                {"read_leaders", HotPeersJson(hot.peers.read_leaders)},
                {"write_peers", HotPeersJson(hot.peers.write_peers)},
                {"write_leaders", HotPeersJson(hot.peers.write_leaders)}};
  return {{"stores", ListJson(hot.stores, StoreLoadJson)}, {"peers", std::move(peers)}};
}

}  // namespace

std::string DashboardSnapshotJson(const DashboardSnapshot& snapshot) {
  Json leader = nullptr;
  if (snapshot.leader) {
    leader = {{"name", snapshot.leader->name}, {"client_urls", snapshot.leader->client_urls}};
  }
  const DashboardOperators& operators = snapshot.operators;
  const Json json = {{"format", kFormat},
                     {"time_ms", snapshot.time_ms},
                     {"cluster_id", std::to_string(snapshot.cluster_id)},
                     {"version", pd::kReleaseVersion},
                     {"answered_by", {{"name", snapshot.name}, {"leads", snapshot.leads}}},
                     {"leader", std::move(leader)},
                     {"bootstrapped", snapshot.bootstrapped},
                     {"members", ListJson(snapshot.members, MemberJson)},
                     {"stores", ListJson(snapshot.stores, StoreJson)},
                     {"regions",
                      {{"count", snapshot.region_count},
                       {"size_mib", snapshot.region_size_mib},
                       {"reported", snapshot.regions_reported}}},
                     {"operators",
                      {{"running", ListJson(operators.running, OperatorJson)},
                       {"running_count", operators.running_count},
                       {"finished", ListJson(operators.finished, OperatorJson)},
                       {"finished_total", operators.finished_total}}},
                     {"refusals", ListJson(operators.refusals, RefusalJson)},
                     {"schedulers", ListJson(snapshot.schedulers, SchedulerJson)},
                     {"hot", HotJson(snapshot.hot)}};
  return DumpJson(json, -1);
}

std::string DashboardHistoryJson(std::span<const DashboardSample> samples) {
  const auto to_json = [](const DashboardSample& sample) {
    Json stores = Json::object();
    for (const DashboardSample::StoreFigures& store : sample.stores) {
      stores[std::to_string(store.id)] =
          Json::array({store.leaders, store.regions, store.used_bytes, store.read_bytes_per_s,
                       store.write_bytes_per_s});
    }
    return Json{{"time_ms", sample.time_ms},
                {"stores", std::move(stores)},
                {"running", sample.running},
                {"finished_total", sample.finished_total}};
  };
  return DumpJson(ListJson(samples, to_json), -1);
}

DashboardSample SampleOf(const DashboardSnapshot& snapshot) {
  DashboardSample sample{.time_ms = snapshot.time_ms,
                         .stores = {},
                         .running = snapshot.operators.running_count,
                         .finished_total = snapshot.operators.finished_total};
  for (const DashboardStore& entry : snapshot.stores) {
    const Rates rates = RatesOf(entry.store.stats);
    sample.stores.push_back({.id = entry.store.id.value,
                             .leaders = entry.store.counts.leaders,
                             .regions = entry.store.counts.regions(),
                             .used_bytes = entry.store.stats.used_bytes,
                             .read_bytes_per_s = rates.read,
                             .write_bytes_per_s = rates.write});
  }
  return sample;
}

}  // namespace api

#include "api/grpc/store_heartbeat_handler.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "api/convert/go_text.h"
#include "api/convert/store_convert.h"
#include "pd/log/log.h"

namespace api {
namespace {

/// Damaged peers looked at in one heartbeat; the store names those that are left again.
constexpr int kDamagedMax = 128;

/// What cannot be done now is tried again with the store's next heartbeat. One line a heartbeat at most for what is
/// new and one for what fails: a removal takes many heartbeats, and a broken disk damages many regions.
void RemoveDamagedPeers(pd::Coordinator& coordinator, const pdpb::StoreStats& stats) {
  const scheduler::StoreId store{stats.store_id()};
  const int count = std::min(stats.damaged_regions_id_size(), kDamagedMax);
  std::vector<scheduler::RegionId> regions;
  regions.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) regions.push_back({stats.damaged_regions_id(i)});
  const pd::Coordinator::Removals done = coordinator.RemovePeers(store, regions);
  if (done.planned > 0) {
    pd::LogInfo("damaged peers are to be removed", {{"store-id", store.value},
                                                    {"planned", done.planned},
                                                    {"under-way", done.under_way},
                                                    {"not-held", done.not_held}});
  }
  if (done.refused > 0) {
    pd::LogWarn("damaged peers cannot be removed now", {{"store-id", store.value},
                                                        {"refused", done.refused},
                                                        {"region-id", done.first_refused.value},
                                                        {"error", done.first_error}});
  }
}

/// What the store has sent (as in the reference, the sender reports): its snapshot windows learn from it.
void LearnFromSnapshots(pd::StoreLimits& limits, const pdpb::StoreStats& stats) {
  if (stats.snapshot_stats().empty()) return;
  std::vector<pd::SnapshotTiming> sent;
  sent.reserve(static_cast<size_t>(stats.snapshot_stats_size()));
  for (const pdpb::SnapshotStat& one : stats.snapshot_stats()) {
    sent.push_back(
        {one.generate_duration_sec(), one.send_duration_sec(), one.total_duration_sec()});
  }
  limits.Feedback({stats.store_id()}, sent);
}

/// Takes the statistics in and fills in what follows from them. The state before them.
pd::Result<scheduler::NodeState> TakeStats(const ClusterCalls& calls, pd::Coordinator& coordinator,
                                           const pdpb::StoreStats& stats,
                                           pdpb::StoreHeartbeatResponse& response) {
  const scheduler::StoreId id{stats.store_id()};
  const pd::Nanos start = calls.cluster.clock().Monotonic();
  const auto slow_stores = calls.cluster.stores().WakeFor(id);
  auto state = calls.cluster.HandleStoreReport({id, StatsOf(stats), stats.SerializeAsString()},
                                               PeerReadsOf(stats));
  if (!state) return state;
  for (const scheduler::StoreId slow : slow_stores) {
    response.mutable_awaken_regions()->add_abnormal_stores(slow.value);
  }
  LearnFromSnapshots(coordinator.limits(), stats);
  RemoveDamagedPeers(coordinator, stats);
  const std::chrono::duration<double> seconds = calls.cluster.clock().Monotonic() - start;
  calls.heartbeat_metrics.Of(id)->store_seconds->Observe(seconds.count());
  return state;
}

RpcResult<pdpb::StoreHeartbeatResponse> StoreHeartbeat(const ClusterCalls& calls,
                                                       pd::Coordinator& coordinator,
                                                       const pdpb::StoreHeartbeatRequest& request) {
  using Response = pdpb::StoreHeartbeatResponse;
  const scheduler::StoreId id{request.stats().store_id()};
  const auto known = calls.cluster.stores().NodeStateOf(id);
  if (known == scheduler::NodeState::kRemoved) {
    return BadAnswer<Response>(calls, pdpb::STORE_TOMBSTONE, "store is tombstone");
  }
  if (!known) {
    return BadAnswer<Response>(calls, pdpb::UNKNOWN, fmt::format("store {} not found", id.value));
  }
  auto response = GoodAnswer<Response>(calls);
  response.set_state(static_cast<metapb::NodeState>(*known));
  // With a report for unsafe recovery the statistics do not count.
  if (!request.has_store_report()) {
    const auto state = TakeStats(calls, coordinator, request.stats(), response);
    if (!state) return UnknownAnswer<Response>(calls, state.error());
    response.set_state(static_cast<metapb::NodeState>(*state));
  }
  response.mutable_replication_status();
  response.set_cluster_version(calls.cluster.config().online()->cluster_version);
  return response;
}

}  // namespace

void AddStoreHeartbeatHandler(MethodRegistry& registry, const ClusterCalls& calls,
                              pd::Coordinator& coordinator) {
  registry.Unary<pdpb::StoreHeartbeatRequest, pdpb::StoreHeartbeatResponse>(
      "/pdpb.PD/StoreHeartbeat", kPdpbBlocking,
      [calls, &coordinator](const CallContext&, const pdpb::StoreHeartbeatRequest& request)
          -> RpcResult<pdpb::StoreHeartbeatResponse> {
        if (auto status = CheckLeaderCall(calls, request.header().cluster_id())) {
          return FailRpc(std::move(*status));
        }
        if (!request.has_stats()) {
          return FailRpc(StatusCode::kUnknown,
                         fmt::format("invalid store heartbeat command, but {}", GoText(request)));
        }
        if (!calls.cluster.running()) return NotBootstrapped<pdpb::StoreHeartbeatResponse>(calls);
        return StoreHeartbeat(calls, coordinator, request);
      });
}

}  // namespace api

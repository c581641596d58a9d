#include "api/scheduling_service.h"

#include "api/grpc/operator_handlers.h"
#include "api/grpc/store_heartbeat_handler.h"
#include "api/http/scheduling_routes.h"

namespace api {
namespace {

std::optional<pd::ClusterMetrics::SnapshotUse> SnapshotUseOf(const pd::StoreLimits& limits,
                                                             scheduler::StoreId store) {
  const std::optional<pd::SnapshotWindows> windows = limits.WindowsOf(store);
  if (!windows) return {};
  return pd::ClusterMetrics::SnapshotUse{windows->capacity_mib(), windows->used_mib()};
}

}  // namespace

SchedulingService::SchedulingService(pd::PdServer& server, ClusterService& cluster)
    : calls_(cluster.calls()),
      metrics_(cluster.metrics()),
      coordinator_({cluster.cluster(), server.config_store(), server.meta(), server.ids(),
                    server.metrics(), server.clock(), cluster.commands(),
                    [&server](std::string_view suffix) { return server.Key(suffix); },
                    static_cast<uint64_t>(server.clock().UnixNanos())}) {
  server.AddLeaderService(coordinator_);
  metrics_.ShowSnapshots(
      [this](scheduler::StoreId store) { return SnapshotUseOf(coordinator_.limits(), store); });
}

SchedulingService::~SchedulingService() {
  metrics_.ShowSnapshots([](scheduler::StoreId) { return std::nullopt; });
}

void SchedulingService::Register(MethodRegistry& registry, Router& router) {
  AddOperatorHandlers(registry, calls_, coordinator_);
  AddStoreHeartbeatHandler(registry, calls_, coordinator_);
  AddSchedulingRoutes(router, {coordinator_, calls_.serving});
}

}  // namespace api

#pragma once

#include "api/cluster_service.h"
#include "api/http/router.h"
#include "pd/coordinator.h"
#include "pd/server.h"

namespace api {

/// Planning with everything that shows and steers it: the coordinator, GetOperator, StoreHeartbeat (which may start
/// operators), and the routes of operators, schedulers and checkers. Construct after the cluster, whose leader service
/// must start before; all arguments outlive it.
class SchedulingService {
 public:
  SchedulingService(pd::PdServer& server, ClusterService& cluster);

  ~SchedulingService();
  SchedulingService(const SchedulingService&) = delete;
  SchedulingService& operator=(const SchedulingService&) = delete;

  void Register(MethodRegistry& registry, Router& router);

  /// Before the server's Start().
  void Start() { coordinator_.Start(); }
  /// After the transports have stopped, before the cluster stops.
  void Stop() { coordinator_.Stop(); }

  [[nodiscard]] pd::Coordinator& coordinator() { return coordinator_; }

 private:
  const ClusterCalls& calls_;
  pd::ClusterMetrics& metrics_;
  pd::Coordinator coordinator_;
};

}  // namespace api

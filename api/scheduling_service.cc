#include "api/scheduling_service.h"

#include "api/grpc/operator_handlers.h"
#include "api/http/scheduling_routes.h"

namespace api {

SchedulingService::SchedulingService(pd::PdServer& server, pd::Cluster& cluster,
                                     pd::CommandSink& commands)
    : server_(server),
      coordinator_({cluster, server.config_store(), server.meta(), server.ids(), server.metrics(),
                    server.clock(), commands,
                    [&server](std::string_view suffix) { return server.Key(suffix); },
                    static_cast<uint64_t>(server.clock().UnixNanos())}) {
  server.AddLeaderService(coordinator_);
}

void SchedulingService::Register(MethodRegistry& registry, Router& router) {
  AddOperatorHandlers(registry, server_, coordinator_);
  AddSchedulingRoutes(router, {coordinator_, [this] { return server_.Serving(); }});
}

}  // namespace api

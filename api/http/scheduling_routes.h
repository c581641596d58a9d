#pragma once

#include <functional>

#include <nlohmann/json.hpp>

#include "api/http/router.h"
#include "pd/coordinator.h"

namespace api {

/// What the routes of operators, schedulers and checkers need of the server. Everything outlives the router and is
/// thread-safe.
struct SchedulingRoutes {
  pd::Coordinator& coordinator;
  std::function<bool()> serving;  // The PD leader, with its lease.
};

/// A handler for a running cluster; otherwise ErrNotBootstrapped.
[[nodiscard]] HttpHandler WhenScheduling(const SchedulingRoutes& routes, HttpHandler handler);

void AddOperatorRoutes(Router& router, const SchedulingRoutes& routes);
void AddSchedulerRoutes(Router& router, const SchedulingRoutes& routes);
void AddSchedulerConfigRoutes(Router& router, const SchedulingRoutes& routes);
void AddCheckerRoutes(Router& router, const SchedulingRoutes& routes);
void AddFitRoutes(Router& router, const SchedulingRoutes& routes);
void AddRegionJobRoutes(Router& router, const SchedulingRoutes& routes);

/// Ours, for people and the dashboard:
///   GET /qm/api/v1/operators  running operators with the reason that led to each, progress of their steps, and the
///                             latest ended ones: {"running":[...],"ended":[...]}
///   GET /qm/api/v1/decisions  what each scheduler, the checkers and admission last refused, with the numbers:
///                             [{"source","time","runs","proposals","refusals":[{"reason","store_id","region_id",
///                             "value","bound","detail","times","time"}]}]
void AddDecisionRoutes(Router& router, const SchedulingRoutes& routes);

/// Ours as well:
///   GET /qm/api/v1/store/{id}/blockers?limit=16  why regions do not leave a store that is offline: what holds all up,
///                             how many regions are under-way, ready, waiting, blocked, the causes with what would
///                             help, and the first regions concerned. {"store_id","held_up":[{"reason","text",
///                             "unblock"}],"region_count","checked","under-way","ready","waiting","blocked",
///                             "causes":[{"state","reason","regions","text","rule","unblock":[...],"stores":
///                             [{"store_id","reason","text","regions"}]}],"regions":[{"region_id","state","reason",
///                             "text"}]}. 400 unless the store is offline.
void AddStoreBlockerRoutes(Router& router, const SchedulingRoutes& routes);

/// All of the above.
void AddSchedulingRoutes(Router& router, const SchedulingRoutes& routes);

/// The whole seconds under "delay" of a body {"delay":n}, or the answer to give; `go_type` is what the decoder's error
/// calls the wanted type.
[[nodiscard]] tl::expected<int64_t, HttpResponse> ReadDelay(const HttpRequest& request,
                                                            const char* go_type);

/// Takes a store off evict-leader or grant-leader; with the last one the scheduler goes.
[[nodiscard]] HttpResponse RemoveSchedulerStore(const SchedulingRoutes& routes,
                                                const std::string& name, scheduler::StoreId store);

/// POST /operators with "scatter-regions": the regions of a range, or by their ids.
[[nodiscard]] HttpResponse ScatterByOperator(const SchedulingRoutes& routes,
                                             const nlohmann::ordered_json& body);

/// POST /operators: builds and starts what a person asks for.
[[nodiscard]] HttpResponse CreateOperator(const SchedulingRoutes& routes,
                                          const HttpRequest& request);

}  // namespace api

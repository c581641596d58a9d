#pragma once

#include "api/http/scheduling_routes.h"
#include "pd/dispatch/scheduler_table.h"

namespace api {

// What single schedulers do with requests below their name; scheduler_config_handlers.cc sends them here.

using SchedulerEntry = pd::SchedulerTable::Entry;

/// POST .../config of each. They change the members that the body names and no other, on the settings of the moment.
[[nodiscard]] HttpResponse SetBalanceLeader(const SchedulingRoutes& routes,
                                            const HttpRequest& request,
                                            const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetBalanceWitness(const SchedulingRoutes& routes,
                                             const HttpRequest& request,
                                             const SchedulerEntry& entry);
/// evict-leader takes a store, a batch or both; grant-leader a store.
[[nodiscard]] HttpResponse SetStores(const SchedulingRoutes& routes, const HttpRequest& request,
                                     const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetSlowStore(const SchedulingRoutes& routes, const HttpRequest& request,
                                        const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetStoppingStore(const SchedulingRoutes& routes,
                                            const HttpRequest& request,
                                            const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetHotRegion(const SchedulingRoutes& routes, const HttpRequest& request,
                                        const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetSlowTrend(const SchedulingRoutes& routes, const HttpRequest& request,
                                        const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetScatterRange(const SchedulingRoutes& routes,
                                           const HttpRequest& request, const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetGrantHotRegion(const SchedulingRoutes& routes,
                                             const HttpRequest& request,
                                             const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetShuffleHotRegion(const SchedulingRoutes& routes,
                                               const HttpRequest& request,
                                               const SchedulerEntry& entry);
[[nodiscard]] HttpResponse SetBalanceRange(const SchedulingRoutes& routes,
                                           const HttpRequest& request, const SchedulerEntry& entry);

/// GET and POST .../shuffle-region-scheduler/roles.
[[nodiscard]] HttpResponse ServeRoles(const SchedulingRoutes& routes, const HttpRequest& request,
                                      const SchedulerEntry& entry);

/// PUT and DELETE .../balance-range-scheduler/job.
[[nodiscard]] HttpResponse ServeRangeJob(const SchedulingRoutes& routes, const HttpRequest& request,
                                         const SchedulerEntry& entry);
/// A job for a balance-range scheduler that runs.
[[nodiscard]] HttpResponse AddRangeJobTo(const SchedulingRoutes& routes,
                                         const nlohmann::ordered_json& body,
                                         const std::string& name);

}  // namespace api

#pragma once

#include "pd/cluster/region_table.h"
#include "pd/dispatch/operator_runner.h"
#include "pd/dispatch/store_limits.h"
#include "pd/id/id_allocator.h"
#include "pd/runtime/clock.h"
#include "scheduler/filters/store_filter.h"

namespace pd {

/// Lets proposals become operators: the region still has the epoch that planning saw, no operator of the same or a
/// higher priority runs on it, the stores' limits have room; then new peers get their ids and the operator starts, if
/// the runner sees the same epoch still. What does not start costs the stores nothing; what starts carries what it
/// booked of snapshots, for StoreLimits::Release at its end.
/// Thread-safe. Admit may wait for Raft when ids run out.
class Admission {
 public:
  struct Deps {
    const RegionTable& regions;
    StoreLimits& limits;
    OperatorRunner& runner;
    IdAllocator& ids;
    const Clock& clock;
    OperatorMetrics& metrics;
  };

  /// People's wishes take their ids before they are looked at, as the reference's do: ids seen from outside agree.
  enum class Origin : uint8_t { kPlanner, kPerson };

  explicit Admission(Deps deps) : deps_(deps) {}

  /// Nothing on success. kNotLeader when no ids can be had. Urgent ones pass by the stores' limits in any case.
  std::optional<scheduler::Refusal> Admit(scheduler::Proposal proposal,
                                          Origin origin = Origin::kPlanner);

 private:
  bool FillPeerIds(scheduler::Proposal& proposal);
  std::optional<scheduler::Refusal> TryAdmit(scheduler::Proposal proposal, Origin origin);

  const Deps deps_;
};

}  // namespace pd

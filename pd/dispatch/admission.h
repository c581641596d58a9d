#pragma once

#include <vector>

#include <tl/expected.hpp>

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
  /// The same of plans that make sense together alone, each for another region: all of them start, or none does and
  /// costs anything. The first refusal.
  std::optional<scheduler::Refusal> AdmitTogether(std::vector<scheduler::Proposal> proposals,
                                                  Origin origin = Origin::kPlanner);

 private:
  bool FillPeerIds(scheduler::Proposal& proposal);
  /// What the proposal does to the stores, if the region is as it was and free.
  [[nodiscard]] tl::expected<scheduler::Influence, scheduler::Refusal> LookAt(
      const scheduler::Proposal& proposal) const;
  tl::expected<StoreLimits::Taken, scheduler::Refusal> Take(const scheduler::Proposal& proposal,
                                                            const scheduler::Influence& influence);
  std::optional<scheduler::Refusal> TryAdmit(std::vector<scheduler::Proposal> proposals,
                                             Origin origin);

  const Deps deps_;
};

}  // namespace pd

#include "pd/dispatch/admission.h"

#include <utility>

#include "pd/dispatch/schedule_options.h"

namespace pd {

using scheduler::Reason;
using scheduler::Refusal;

std::optional<Refusal> Admission::Admit(scheduler::Proposal proposal, Origin origin) {
  const std::string desc = proposal.desc;
  deps_.metrics.Count(desc, "create");
  auto refusal = TryAdmit(std::move(proposal), origin);
  if (refusal) deps_.metrics.Refused(desc, *refusal);
  return refusal;
}

std::optional<Refusal> Admission::TryAdmit(scheduler::Proposal proposal, Origin origin) {
  const auto refuse = [&](Reason reason, uint64_t value, uint64_t bound) {
    return Refusal{
        reason, {}, proposal.region, static_cast<double>(value), static_cast<double>(bound), {}};
  };
  if (origin == Origin::kPerson && !FillPeerIds(proposal)) return refuse(Reason::kNotLeader, 0, 0);
  const std::optional<scheduler::Region> region = deps_.regions.Find(proposal.region);
  if (!region) return refuse(Reason::kRegionGone, 0, 0);
  if (region->epoch.version != proposal.epoch.version) {
    return refuse(Reason::kStaleEpoch, proposal.epoch.version, region->epoch.version);
  }
  if (region->epoch.conf_ver != proposal.epoch.conf_ver) {
    return refuse(Reason::kStaleEpoch, proposal.epoch.conf_ver, region->epoch.conf_ver);
  }
  if (auto conflict = deps_.runner.RefuseConflict(proposal)) return conflict;

  const scheduler::Influence influence = proposal.TotalInfluence(*region);
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  if (proposal.priority == scheduler::Priority::kUrgent) {
    deps_.limits.TakeAnyway(influence, now);
  } else if (auto refusal = deps_.limits.Take(influence, now)) {
    refusal->region = proposal.region;
    return refusal;
  }
  if (origin == Origin::kPlanner && !FillPeerIds(proposal)) return refuse(Reason::kNotLeader, 0, 0);
  // Another admission may have come in between; the tokens it cost come back with time.
  return deps_.runner.Start(std::move(proposal), *region);
}

bool Admission::FillPeerIds(scheduler::Proposal& proposal) {
  for (const scheduler::StoreId store : proposal.NewPeerStores()) {
    const Result<uint64_t> id = deps_.ids.Allocate(1);
    if (!id) return false;
    proposal.FillPeerId(store, {*id});
  }
  return true;
}

}  // namespace pd

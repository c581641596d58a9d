#include "pd/dispatch/admission.h"

#include <utility>

#include "pd/runtime/clock.h"
#include "scheduler/operator/merge.h"

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
  const auto refuse = [&](Reason reason) { return Refusal{reason, {}, proposal.region, 0, 0, {}}; };
  if (origin == Origin::kPerson && !FillPeerIds(proposal)) return refuse(Reason::kNotLeader);
  const std::optional<scheduler::Region> region = deps_.regions.Find(proposal.region);
  if (!region) return refuse(Reason::kRegionGone);
  if (auto stale = RefuseStaleEpoch(proposal, region->epoch)) return stale;
  scheduler::Influence influence = proposal.TotalInfluence(*region);
  if (const auto target_side = scheduler::TargetSide(proposal)) {
    const std::optional<scheduler::Region> target = deps_.regions.Find(target_side->region);
    if (!target) return refuse(Reason::kRegionGone);
    if (auto stale = RefuseStaleEpoch(*target_side, target->epoch)) return stale;
    influence.Add(target_side->TotalInfluence(*target));
  }
  if (auto conflict = deps_.runner.RefuseConflict(proposal)) return conflict;

  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  StoreLimits::Taken taken;
  if (proposal.priority == scheduler::Priority::kUrgent) {
    taken = deps_.limits.TakeAnyway(influence, proposal.priority, now);
  } else if (auto room = deps_.limits.Take(influence, proposal.priority, now)) {
    taken = *std::move(room);
  } else {
    room.error().region = proposal.region;
    return room.error();
  }
  const bool ids = origin == Origin::kPerson || FillPeerIds(proposal);
  auto refusal =
      ids ? deps_.runner.Start(std::move(proposal), taken.snapshots) : refuse(Reason::kNotLeader);
  if (refusal) deps_.limits.GiveBack(taken, InstantOf(deps_.clock.Monotonic()));
  return refusal;
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

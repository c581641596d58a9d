#include "pd/dispatch/admission.h"

#include <string>
#include <utility>

#include "pd/runtime/clock.h"
#include "scheduler/operator/merge.h"

namespace pd {

using scheduler::Reason;
using scheduler::Refusal;

namespace {

Refusal RefuseFor(const scheduler::Proposal& proposal, Reason reason) {
  return {reason, {}, proposal.region, 0, 0, {}};
}

}  // namespace

std::optional<Refusal> Admission::Admit(scheduler::Proposal proposal, Origin origin) {
  std::vector<scheduler::Proposal> proposals;
  proposals.push_back(std::move(proposal));
  return AdmitTogether(std::move(proposals), origin);
}

std::optional<Refusal> Admission::AdmitTogether(std::vector<scheduler::Proposal> proposals,
                                                Origin origin) {
  std::vector<std::string> descs;
  for (const scheduler::Proposal& proposal : proposals) descs.push_back(proposal.desc);
  for (const std::string& desc : descs) deps_.metrics.Count(desc, "create");
  auto refusal = TryAdmit(std::move(proposals), origin);
  if (!refusal) return {};
  for (const std::string& desc : descs) deps_.metrics.Refused(desc, *refusal);
  return refusal;
}

std::optional<Refusal> Admission::TryAdmit(std::vector<scheduler::Proposal> proposals,
                                           Origin origin) {
  std::vector<scheduler::Influence> influences;
  for (scheduler::Proposal& proposal : proposals) {
    if (origin == Origin::kPerson && !FillPeerIds(proposal)) {
      return RefuseFor(proposal, Reason::kNotLeader);
    }
    auto influence = LookAt(proposal);
    if (!influence) return influence.error();
    influences.push_back(*std::move(influence));
  }
  std::optional<Refusal> refusal;
  std::vector<StoreLimits::Taken> taken;
  std::vector<OperatorRunner::Launch> launches;
  for (size_t i = 0; i < proposals.size() && !refusal; ++i) {
    auto costs = Take(proposals[i], influences[i]);
    if (!costs) {
      refusal = costs.error();
      break;
    }
    taken.push_back(*std::move(costs));
    const bool ids = origin == Origin::kPerson || FillPeerIds(proposals[i]);
    if (!ids) refusal = RefuseFor(proposals[i], Reason::kNotLeader);
    launches.push_back({std::move(proposals[i]), taken.back().snapshots});
  }
  if (!refusal) refusal = deps_.runner.Start(std::move(launches));
  if (!refusal) return {};
  for (const StoreLimits::Taken& one : taken) {
    deps_.limits.GiveBack(one, InstantOf(deps_.clock.Monotonic()));
  }
  return refusal;
}

tl::expected<scheduler::Influence, Refusal> Admission::LookAt(
    const scheduler::Proposal& proposal) const {
  const std::optional<scheduler::Region> region = deps_.regions.Find(proposal.region);
  if (!region) return tl::unexpected(RefuseFor(proposal, Reason::kRegionGone));
  if (auto stale = RefuseStaleEpoch(proposal, region->epoch)) return tl::unexpected(*stale);
  scheduler::Influence influence = proposal.TotalInfluence(*region);
  if (const auto target_side = scheduler::TargetSide(proposal)) {
    const std::optional<scheduler::Region> target = deps_.regions.Find(target_side->region);
    if (!target) return tl::unexpected(RefuseFor(proposal, Reason::kRegionGone));
    if (auto stale = RefuseStaleEpoch(*target_side, target->epoch)) return tl::unexpected(*stale);
    influence.Add(target_side->TotalInfluence(*target));
  }
  if (auto conflict = deps_.runner.RefuseConflict(proposal)) return tl::unexpected(*conflict);
  return influence;
}

tl::expected<StoreLimits::Taken, Refusal> Admission::Take(const scheduler::Proposal& proposal,
                                                          const scheduler::Influence& influence) {
  const scheduler::Instant now = InstantOf(deps_.clock.Monotonic());
  if (proposal.priority == scheduler::Priority::kUrgent) {
    return deps_.limits.TakeAnyway(influence, proposal.priority, now);
  }
  auto taken = deps_.limits.Take(influence, proposal.priority, now);
  if (!taken) taken.error().region = proposal.region;
  return taken;
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

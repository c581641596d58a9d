#include "scheduler/schedulers/transfer_witness_leader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"

namespace scheduler {
namespace {

/// Where the lead may go.
std::vector<StoreId> TargetsOf(const PlanContext& context, const Region& region,
                               Decision& decision) {
  std::vector<StoreId> targets;
  for (const Peer& peer : region.peers) {
    const Store* store = context.view.FindStore(peer.store);
    if (store == nullptr || peer.witness || !IsVoter(peer) || region.IsDown(peer.id) ||
        region.IsPending(peer.id)) {
      continue;
    }
    auto refusal = RefuseLeaderTarget(context, *store);
    if (!refusal) refusal = RefuseLeaderByRules(context, region, *store);
    if (refusal) {
      decision.Refuse(*std::move(refusal));
    } else {
      targets.push_back(peer.store);
    }
  }
  std::ranges::sort(targets);
  return targets;
}

}  // namespace

Decision TransferWitnessLeader(const PlanContext& context, Rng& rng) {
  constexpr size_t kBatch = 3;
  constexpr size_t kLookedAt = 64;
  Decision decision;
  for (const Region& region : context.view.WitnessLedRegions(kLookedAt)) {
    if (decision.proposals.size() >= kBatch) break;
    if (auto refusal = RefuseBusyRegion(context, region)) {
      decision.Refuse(*std::move(refusal));
      continue;
    }
    if (context.IsScheduleDenied(region)) {
      decision.Refuse({Reason::kRegionScheduleDenied, StoreId{}, region.id, 0, 0, {}});
      continue;
    }
    const std::vector<StoreId> targets = TargetsOf(context, region, decision);
    if (targets.empty()) {
      decision.Refuse({Reason::kNoTarget, region.leader.store, region.id, 0, 1, {}});
      continue;
    }
    decision.Take(region.id,
                  Builder(context, "transfer-witness-leader", region)
                      .SetLeader(targets[rng.Below(targets.size())])
                      .SetLeaderCandidates(targets)
                      .SetWhy("its leader on store " + std::to_string(region.leader.store.value) +
                              " is a witness")
                      .Build(Kind::kWitnessLeader, Priority::kUrgent));
  }
  if (decision.proposals.empty() && decision.refusals.empty()) {
    decision.Refuse({Reason::kNoRegion, StoreId{}, RegionId{}, 0, 0, "led by a witness"});
  }
  return decision;
}

}  // namespace scheduler

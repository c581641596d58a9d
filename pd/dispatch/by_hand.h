#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"

namespace pd {

/// What a person asks for on one region, to be planned on the state of the moment. Such operators are of kind admin and
/// urgent: they pass by store limits and replace what planning runs. Errors of a plan are texts for people.
using ByHand =
    std::function<scheduler::Result<scheduler::Proposal>(const scheduler::PlanContext& context)>;

ByHand TransferLeaderByHand(scheduler::Region region, scheduler::StoreId to);
ByHand AddPeerByHand(scheduler::Region region, scheduler::StoreId to, scheduler::PeerRole role);
ByHand RemovePeerByHand(scheduler::Region region, scheduler::StoreId from);
/// The peer keeps its role. `from` must hold one.
ByHand MovePeerByHand(scheduler::Region region, scheduler::StoreId from, scheduler::StoreId to);
/// Exactly these stores in these roles; at most one leads.
ByHand MoveRegionByHand(scheduler::Region region,
                        std::map<scheduler::StoreId, scheduler::RuleRole> roles);
/// `source` goes into `target`. Refused, with the reference's texts, unless both are whole and well, and neighbours.
ByHand MergeByHand(scheduler::Region source, scheduler::Region target);
ByHand SplitByHand(scheduler::Region region, scheduler::SplitPolicy policy,
                   std::vector<std::string> keys);

}  // namespace pd

#include "pd/dispatch/by_hand.h"

#include <optional>
#include <utility>

#include "scheduler/checkers/split_checker.h"
#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/builder.h"
#include "scheduler/operator/merge.h"

namespace pd {
namespace {

using scheduler::Builder;
using scheduler::Kind;
using scheduler::Peer;
using scheduler::PeerRole;
using scheduler::PlanContext;
using scheduler::Priority;
using scheduler::Region;
using scheduler::RuleRole;
using scheduler::StoreId;

constexpr const char* kWhy = "asked for by hand";

/// `change` tells the builder what is wanted.
template <class Change>
ByHand Plan(const char* desc, Region region, Change change) {
  return
      [desc, region = std::move(region), change = std::move(change)](const PlanContext& context) {
        Builder builder(context, desc, region);
        builder.SkipRuleCheck().SetWhy(kWhy);
        change(builder, region);
        return builder.Build(Kind::kAdmin, Priority::kUrgent);
      };
}

}  // namespace

ByHand TransferLeaderByHand(Region region, StoreId to) {
  return Plan("admin-transfer-leader", std::move(region),
              [to](Builder& builder, const Region&) { builder.ForceLeader().SetLeader(to); });
}

ByHand AddPeerByHand(Region region, StoreId to, PeerRole role) {
  const char* desc = role == PeerRole::kLearner ? "admin-add-learner" : "admin-add-peer";
  return Plan(desc, std::move(region), [to, role](Builder& builder, const Region&) {
    builder.AddPeer({{}, to, role, false});
  });
}

ByHand RemovePeerByHand(Region region, StoreId from) {
  return Plan("admin-remove-peer", std::move(region),
              [from](Builder& builder, const Region&) { builder.RemovePeer(from); });
}

ByHand MovePeerByHand(Region region, StoreId from, StoreId to) {
  return Plan("admin-move-peer", std::move(region),
              [from, to](Builder& builder, const Region& before) {
                Peer peer = *before.PeerOnStore(from);
                peer.id = {};
                peer.store = to;
                builder.RemovePeer(from).AddPeer(peer);
              });
}

ByHand MoveRegionByHand(Region region, std::map<StoreId, RuleRole> roles) {
  return Plan(
      "admin-move-region", std::move(region),
      [roles = std::move(roles)](Builder& builder, const Region& before) {
        std::map<StoreId, Peer> peers;
        std::optional<StoreId> leader;
        for (const auto& [store, role] : roles) {
          const bool learner = role == RuleRole::kLearner;
          // Whether peers are witnesses is for the rules to say.
          const Peer* there = before.PeerOnStore(store);
          const bool witness = there != nullptr && there->witness;
          peers[store] = {{}, store, learner ? PeerRole::kLearner : PeerRole::kVoter, witness};
          if (role == RuleRole::kLeader) leader = store;
        }
        builder.SetPeers(peers).SetExpectedRoles(roles);
        if (leader) builder.ForceLeader().SetLeader(*leader);
      });
}

ByHand MergeByHand(Region source, Region target) {
  return [source = std::move(source), target = std::move(target)](
             const PlanContext& context) -> scheduler::Result<scheduler::Proposal> {
    for (const Region* region : {&source, &target}) {
      if (!RefuseUnhealthyRegion(*region) && context.Fit(*region).IsSatisfied()) continue;
      return scheduler::Fail(scheduler::ErrorCode::kInvalidArgument,
                             "[PD:region:ErrRegionAbnormalPeer]region " +
                                 std::to_string(region->id.value) + " has abnormal peer");
    }
    if (!scheduler::AreNeighbours(source, target)) {
      return scheduler::Fail(scheduler::ErrorCode::kInvalidArgument,
                             "[PD:region:ErrRegionNotAdjacent]two regions are not adjacent");
    }
    auto proposal = scheduler::ProposeMerge(context, scheduler::MergeWish::kOfPerson,
                                            "admin-merge-region", source, target);
    if (proposal) proposal->why = kWhy;
    return proposal;
  };
}

ByHand SplitByHand(Region region, scheduler::SplitPolicy policy, std::vector<std::string> keys) {
  return [region = std::move(region), policy,
          keys = std::move(keys)](const PlanContext&) -> scheduler::Result<scheduler::Proposal> {
    scheduler::Proposal proposal =
        scheduler::ProposeSplit(region, "admin-split-region", policy, keys);
    proposal.kind = Kind::kAdmin;
    proposal.priority = Priority::kUrgent;
    proposal.why = kWhy;
    return proposal;
  };
}

}  // namespace pd

#include "scheduler/checkers/joint_state_checker.h"

#include <algorithm>

#include "scheduler/checkers/peer_state.h"
#include "scheduler/filters/store_filter.h"

namespace scheduler {
namespace {

/// Who should lead while the joint state is left; 0: nobody can. Stores that take leaders first, then any healthy
/// voter on a store that is heard of.
StoreId LeaderToStay(const PlanContext& context, const Region& region) {
  StoreId fallback;
  for (const Peer& peer : region.peers) {
    const bool stays = peer.role == PeerRole::kVoter || peer.role == PeerRole::kIncomingVoter;
    if (!stays || peer.witness || region.IsDown(peer.id) || region.IsPending(peer.id)) continue;
    const Store* store = context.view.FindStore(peer.store);
    if (store == nullptr) continue;
    if (!RefuseLeaderTarget(context, *store)) return peer.store;
    if (!fallback && IsConnected(context, peer.store)) fallback = peer.store;
  }
  return fallback;
}

}  // namespace

Decision CheckJointState(const PlanContext& context, const Region& region) {
  Decision decision;
  if (!region.InJointState() || !region.HasLeader()) return decision;
  ChangePeerV2Leave leave;
  std::vector<StoreId> promoted;
  std::vector<StoreId> demoted;
  bool leader_goes = false;
  std::vector<Peer> peers = region.peers;
  std::ranges::sort(peers, {}, &Peer::store);
  for (const Peer& peer : peers) {
    if (peer.role == PeerRole::kIncomingVoter) {
      leave.promotes.push_back({peer.store, peer.id, peer.witness});
      promoted.push_back(peer.store);
    } else if (peer.role == PeerRole::kDemotingVoter) {
      leave.demotes.push_back({peer.store, peer.id, peer.witness});
      demoted.push_back(peer.store);
      leader_goes |= peer.id == region.leader.id;
    }
  }
  Proposal proposal;
  proposal.desc = "leave-joint-state";
  proposal.region = region.id;
  proposal.epoch = region.epoch;
  proposal.range = {region.start_key, region.end_key};
  proposal.size_mib = region.size_mib;
  proposal.priority = Priority::kHigh;
  proposal.kind = Kind::kNone;
  proposal.why = "nobody leads the region out of its joint state";
  if (!promoted.empty()) proposal.brief = "promote peer: store " + StoreListText(promoted);
  if (!demoted.empty()) {
    if (!proposal.brief.empty()) proposal.brief += ", ";
    proposal.brief += "demote peer: store " + StoreListText(demoted);
  }
  if (leader_goes) {
    const StoreId to = LeaderToStay(context, region);
    if (!to) {
      decision.Refuse({Reason::kNoTarget, region.leader.store, region.id, 0, 0, "leader"});
      decision.look_again_soon = true;
      return decision;
    }
    proposal.steps.emplace_back(TransferLeader{region.leader.store, to, {}});
    proposal.kind |= Kind::kLeader;
  }
  proposal.steps.emplace_back(std::move(leave));
  decision.proposals.push_back(std::move(proposal));
  return decision;
}

}  // namespace scheduler

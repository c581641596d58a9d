#include "scheduler/operator/quorum_guard.h"

#include <algorithm>
#include <map>

namespace scheduler {
namespace {

struct Member {
  PeerRole role = PeerRole::kVoter;
  bool alive = true;
};
using Members = std::map<StoreId, Member>;

struct Tally {
  size_t voters = 0;
  size_t alive = 0;

  [[nodiscard]] bool Majority() const { return alive * 2 > voters; }
};

Tally Count(const Members& members, PeerRole left_out) {
  Tally tally;
  for (const auto& entry : members) {
    const Member& member = entry.second;
    if (member.role == PeerRole::kLearner || member.role == left_out) continue;
    ++tally.voters;
    if (member.alive) ++tally.alive;
  }
  return tally;
}

/// The worse of the old and the new voters.
Tally Worse(const Members& members) {
  const Tally before = Count(members, PeerRole::kIncomingVoter);
  const Tally after = Count(members, PeerRole::kDemotingVoter);
  return before.Majority() ? after : before;
}

bool IsConnected(const PlanContext& context, StoreId id) {
  const Store* store = context.view.FindStore(id);
  return store != nullptr && store->state != StoreState::kTombstone &&
         !store->IsDisconnected(context.now);
}

struct Walk {
  const PlanContext& context;
  Members& members;

  void operator()(const AddPeer& step) const {
    members[step.store] = {PeerRole::kVoter, IsConnected(context, step.store)};
  }
  void operator()(const AddLearner& step) const {
    members[step.store] = {PeerRole::kLearner, IsConnected(context, step.store)};
  }
  void operator()(const PromoteLearner& step) const { members[step.store].role = PeerRole::kVoter; }
  void operator()(const RemovePeer& step) const { members.erase(step.store); }
  void operator()(const ChangePeerV2Enter& step) const {
    const bool joint = step.promotes.size() + step.demotes.size() > 1;
    SetRoles(step, joint ? PeerRole::kIncomingVoter : PeerRole::kVoter,
             joint ? PeerRole::kDemotingVoter : PeerRole::kLearner);
  }
  void operator()(const ChangePeerV2Leave& step) const {
    SetRoles(step, PeerRole::kVoter, PeerRole::kLearner);
  }
  template <class Other>
  void operator()(const Other&) const {}

  template <class Joint>
  void SetRoles(const Joint& step, PeerRole promoted, PeerRole demoted) const {
    for (const PromoteLearner& p : step.promotes) members[p.store].role = promoted;
    for (const DemoteVoter& d : step.demotes) members[d.store].role = demoted;
  }
};

}  // namespace

std::optional<Refusal> RefuseQuorumLoss(const PlanContext& context, const Region& region,
                                        const std::vector<Step>& steps) {
  Members members;
  for (const Peer& peer : region.peers) {
    members[peer.store] = {peer.role, IsConnected(context, peer.store) && !region.IsDown(peer.id)};
  }
  if (!Worse(members).Majority()) return {};
  for (const Step& step : steps) {
    std::visit(Walk{context, members}, step);
    const Tally worse = Worse(members);
    if (worse.Majority()) continue;
    return Refusal{Reason::kRegionQuorum,
                   StoreId{},
                   region.id,
                   static_cast<double>(worse.alive),
                   static_cast<double>(worse.voters),
                   StepText(step)};
  }
  return {};
}

}  // namespace scheduler

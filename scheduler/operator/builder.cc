#include "scheduler/operator/builder.h"

#include <algorithm>
#include <utility>

#include "scheduler/filters/store_filter.h"
#include "scheduler/operator/quorum_guard.h"

namespace scheduler {
namespace {

/// A peer as the reference's messages print it: the text form of the protocol message, with its trailing blank.
std::string MessageText(const Peer& peer) {
  std::string text;
  if (peer.id) text += "id:" + std::to_string(peer.id.value) + " ";
  if (peer.store) text += "store_id:" + std::to_string(peer.store.value) + " ";
  if (IsLearner(peer)) text += "role:Learner ";
  if (peer.witness) text += "is_witness:true ";
  return text;
}

std::string Number(StoreId store) { return std::to_string(store.value); }

}  // namespace

Builder::Builder(const PlanContext& context, std::string desc, const Region& region)
    : context_(context), region_(region), rules_(context.rules.RulesFor(region)) {
  proposal_.desc = std::move(desc);
  proposal_.region = region.id;
  proposal_.epoch = region.epoch;
  proposal_.range = {region.start_key, region.end_key};
  proposal_.size_mib = region.size_mib;
  for (const Peer& peer : region.peers) origin_[peer.store] = peer;
  target_ = origin_;
  current_ = origin_;
  current_leader_ = region.leader.store;
}

void Builder::Fail(const std::string& text) {
  if (!error_) error_ = text;
}

Builder& Builder::AddPeer(const Peer& peer) {
  const auto there = target_.find(peer.store);
  if (there != target_.end()) {
    Fail("cannot add peer " + MessageText(peer) + ": already have peer " +
         MessageText(there->second));
  } else {
    target_[peer.store] = peer;
  }
  return *this;
}

Builder& Builder::RemovePeer(StoreId store) {
  if (target_.erase(store) == 0) Fail("cannot remove peer from " + Number(store) + ": not found");
  if (target_leader_ == store) target_leader_ = {};
  return *this;
}

Builder& Builder::PromoteLearner(StoreId store) {
  const auto it = target_.find(store);
  if (it == target_.end()) {
    Fail("cannot promote peer " + Number(store) + ": not found");
  } else if (!IsLearner(it->second)) {
    Fail("cannot promote peer " + Number(store) + ": is not learner");
  } else if (region_.IsPending(it->second.id) || region_.IsDown(it->second.id)) {
    Fail("cannot promote peer " + Number(store) + ": unhealthy");
  } else {
    it->second.role = PeerRole::kVoter;
  }
  return *this;
}

Builder& Builder::DemoteVoter(StoreId store) {
  const auto it = target_.find(store);
  if (it == target_.end() || IsLearner(it->second)) {
    Fail("cannot demote voter " + Number(store) + ": is not voter");
  } else {
    it->second.role = PeerRole::kLearner;
  }
  return *this;
}

Builder& Builder::SetPeers(const std::map<StoreId, Peer>& peers) {
  for (const auto& [store, peer] : peers) {
    if (!store || peer.store != store) Fail("setPeers with mismatch store " + Number(store));
  }
  target_ = peers;
  if (!target_.contains(target_leader_)) target_leader_ = {};
  return *this;
}

Builder& Builder::SetLeader(StoreId store) {
  const auto it = target_.find(store);
  if (it == target_.end()) {
    Fail("cannot transfer leader to " + Number(store) + ": not found");
  } else if (IsLearner(it->second) || it->second.witness) {
    Fail("cannot transfer leader to " + Number(store) + ": not voter");
  } else if (it->second.id && (region_.IsPending(it->second.id) || region_.IsDown(it->second.id))) {
    Fail("cannot transfer leader to " + Number(store) + ": unhealthy");
  } else {
    target_leader_ = store;
  }
  return *this;
}

Builder& Builder::SetLeaderCandidates(std::vector<StoreId> stores) {
  leader_candidates_ = std::move(stores);
  return *this;
}

Builder& Builder::SetExpectedRoles(std::map<StoreId, RuleRole> roles) {
  expected_roles_ = std::move(roles);
  return *this;
}

Builder& Builder::ForceLeader() {
  force_leader_ = true;
  return *this;
}

Builder& Builder::SkipRuleCheck() {
  skip_rule_check_ = true;
  return *this;
}

Builder& Builder::LightAdd() {
  light_add_ = true;
  return *this;
}

Builder& Builder::LightRemove() {
  light_remove_ = true;
  return *this;
}

Builder& Builder::SetWhy(std::string why) {
  proposal_.why = std::move(why);
  return *this;
}

Result<Proposal> Builder::Build(Kind kind, Priority priority) {
  CheckWish();
  if (!error_) {
    proposal_.kind = kind;
    proposal_.priority = priority;
    FindDifferences();
    proposal_.brief = Brief();
    if (NeedsJoint()) {
      BuildJoint();
    } else {
      BuildSingle();
    }
  }
  if (!error_ && proposal_.steps.empty()) Fail("no operator step is built");
  // People may insist; a plan of our own never takes the quorum of a region away.
  if (!error_ && !Has(kind, Kind::kAdmin)) {
    if (const auto loss = RefuseQuorumLoss(context_, region_, proposal_.steps)) {
      Fail(RefusalText(*loss));
    }
  }
  if (error_) return scheduler::Fail(ErrorCode::kInvalidArgument, *error_);
  return std::move(proposal_);
}

void Builder::CheckWish() {
  if (!region_.HasLeader()) return Fail("region has no leader");
  if (region_.InJointState())
    return Fail("cannot build operator for region which is in joint state");
  if (!skip_rule_check_ && rules_.empty())
    return Fail("cannot build operator for region match no rule");
  const bool any_voter =
      std::ranges::any_of(target_, [](const auto& entry) { return IsVoter(entry.second); });
  if (!any_voter) return Fail("cannot create operator: target peers have no voter");
  const auto leader = target_.find(target_leader_);
  if (leader == target_.end() || IsLearner(leader->second)) {
    target_leader_ = {};
  } else if (!MayLead(leader->second)) {
    Fail("cannot create operator: target leader is not allowed");
  }
}

void Builder::FindDifferences() {
  const bool joint = context_.options.UseJointConsensus();
  for (const auto& [store, peer] : origin_) {
    const auto it = target_.find(store);
    if (it == target_.end()) {
      to_remove_[store] = peer;
      continue;
    }
    it->second.id = peer.id;
    // Roles change first, as what the peer is until then.
    Peer changed = it->second;
    changed.witness = peer.witness;
    const bool gets_data = peer.witness && !it->second.witness;
    if (gets_data && IsVoter(it->second)) changed.role = PeerRole::kLearner;
    const bool demoted = IsVoter(peer) && IsLearner(changed);
    if (demoted && !joint) {
      // Without joint consensus a voter cannot become a learner: it goes and comes again under a new id.
      it->second.id = {};
      to_remove_[store] = peer;
      to_add_[store] = it->second;
      continue;
    }
    if (demoted) to_demote_[store] = changed;
    if (IsLearner(peer) && IsVoter(changed)) to_promote_[store] = changed;
    if (peer.witness != it->second.witness) FindWitnessSwitch(it->second);
  }
  for (const auto& [store, peer] : target_) {
    if (!origin_.contains(store)) to_add_[store] = peer;
  }
}

bool Builder::NeedsJoint() const {
  if (!context_.options.UseJointConsensus()) return false;
  if (!to_demote_.empty()) return true;
  const size_t changes = to_add_.size() + to_remove_.size() + to_promote_.size() +
                         to_witness_.size() + to_data_.size() + to_promote_after_.size();
  if (changes > 1) return true;
  // From two peers to one the last step must not depend on the peer that goes.
  return to_remove_.size() == 1 && origin_.size() == 2;
}

std::vector<StoreId> Builder::StoresIn(const PeersByStore& peers) const {
  std::vector<StoreId> stores;
  for (const auto& entry : peers) stores.push_back(entry.first);
  return stores;
}

std::string Builder::Brief() const {
  const auto list = [&](const PeersByStore& peers) { return StoreListText(StoresIn(peers)); };
  if (!to_add_.empty() && !to_remove_.empty()) {
    return std::string(light_add_ && light_remove_ ? "mv light peer" : "mv peer") + ": store " +
           list(to_remove_) + " to " + list(to_add_);
  }
  if (!to_add_.empty()) return "add peer: store " + list(to_add_);
  if (to_remove_.empty() && !(to_witness_.empty() && to_data_.empty())) return SwitchBrief();
  if (!to_remove_.empty() && !to_promote_.empty()) {
    // The reference swaps the two sets here, and its readers know it so.
    return "promote peer: store " + list(to_remove_) + ", rm peer: store " + list(to_promote_);
  }
  if (!to_remove_.empty() && !to_demote_.empty()) {
    return "demote peer: store " + list(to_demote_) + ", rm peer: store " + list(to_remove_);
  }
  if (!to_remove_.empty()) return "rm peer: store " + list(to_remove_);
  if (!to_promote_.empty()) return "promote peer: store " + list(to_promote_);
  if (!to_demote_.empty()) return "demote peer: store " + list(to_demote_);
  if (!leader_candidates_.empty()) {
    return "evict leader: from store " + Number(current_leader_) + " to one in " +
           StoreListText(leader_candidates_) + ", or to " + Number(target_leader_) +
           " (for compatibility)";
  }
  if (target_leader_ && target_leader_ != current_leader_) {
    return "transfer leader: store " + Number(current_leader_) + " to " + Number(target_leader_);
  }
  return {};
}

bool Builder::MayLead(const Peer& peer) const {
  if (IsLearner(peer) || peer.role == PeerRole::kDemotingVoter || peer.witness) return false;
  if (peer.store == region_.leader.store) return true;
  // On the way neither: a peer that is behind or gone does not take the lead.
  if (peer.id && (region_.IsPending(peer.id) || region_.IsDown(peer.id))) return false;
  const Store* store = context_.view.FindStore(peer.store);
  if (store == nullptr) return false;
  if (force_leader_) return true;
  if (RefuseLeaderTarget(context_, *store)) return false;
  return skip_rule_check_ || AllowLeader(rules_, *store);
}

StoreId Builder::ChooseTargetLeader() const {
  StoreId best;
  Rank best_rank;
  for (const auto& [store, peer] : target_) {
    const auto expected = expected_roles_.find(store);
    if (expected != expected_roles_.end() && expected->second == RuleRole::kFollower) continue;
    if (to_promote_after_.contains(store) || !MayLead(peer)) continue;
    Rank rank = LeaderRank(peer);
    if (!best || rank > best_rank) {
      best = store;
      best_rank = std::move(rank);
    }
  }
  return best;
}

Builder::Rank Builder::LeaderRank(const Peer& peer) const {
  const auto expected = expected_roles_.find(peer.store);
  const Store* store = context_.view.FindStore(peer.store);
  const bool up = store != nullptr && store->IsUp();
  const auto added = added_at_.find(peer.store);
  // Scores are compared as ranks of a thousandth, smaller is better.
  const double weight = store == nullptr ? 1 : std::max(store->leader_weight, 1e-6);
  const auto score = [&](uint64_t value, int64_t coming) {
    const double soon = static_cast<double>(value) + static_cast<double>(coming);
    return -static_cast<int64_t>(soon * 1000 / weight);
  };
  const StoreInfluence& coming = context_.influence.Of(peer.store);
  return {
      expected != expected_roles_.end() && expected->second == RuleRole::kLeader ? 1 : 0,
      up ? 1 : 0,
      peer.store == current_leader_ ? 1 : 0,
      to_promote_.contains(peer.store) ? 0 : 1,
      added == added_at_.end() ? 1 : -static_cast<int64_t>(added->second),
      context_.moved.AwayFrom(MovedThing::kLeader, region_.id, peer.store, context_.now) ? 0 : 1,
      store == nullptr ? 0 : score(store->counts.leaders, coming.leader_count),
      store == nullptr ? 0 : score(store->counts.leader_size_mib, coming.leader_size_mib)};
}

}  // namespace scheduler

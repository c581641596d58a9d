#include "scheduler/checkers/rule_checker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/checkers/better_location.h"
#include "scheduler/checkers/orphan_checker.h"
#include "scheduler/checkers/peer_state.h"
#include "scheduler/checkers/store_selector.h"
#include "scheduler/operator/builder.h"

namespace scheduler {
namespace {

PeerRole RoleOf(const Rule& rule) {
  return rule.role == RuleRole::kLearner ? PeerRole::kLearner : PeerRole::kVoter;
}

/// Learners on TiFlash stores, and nothing else.
bool IsTiFlashRule(const Rule& rule) {
  static const std::vector<LabelConstraint> kTiFlashAlone{
      {std::string(kEngineLabel), ConstraintOp::kIn, {std::string(kEngineTiFlash)}}};
  return rule.role == RuleRole::kLearner && rule.constraints == kTiFlashAlone;
}

/// A region that is looked at.
struct Patient {
  const PlanContext& context;
  const Region& region;
  const RegionFit fit;
  std::optional<Instant> data_returned;  // When one of its witnesses last got its data back.
};

/// Repairs what one rule asks for.
class RuleRepair {
 public:
  RuleRepair(const Patient& patient, const RuleFit& rule_fit, Decision& decision)
      : patient_(patient),
        context_(patient.context),
        region_(patient.region),
        fit_(rule_fit),
        rule_(*rule_fit.rule),
        stores_(StoresOf(context_.view, rule_fit.peers)),
        decision_(decision) {}

  /// For the first peer that is missing, lost, leaving or of another role.
  void Repair() {
    const bool another_waits = std::exchange(decision_.look_again_soon, false);
    Place();
    waits_ = !complete_ && decision_.look_again_soon;
    decision_.look_again_soon |= another_waits;
    if (!complete_) return;
    for (const Peer& peer : fit_.different_role) {
      FixRole(peer);
      if (!decision_.proposals.empty()) return;
    }
  }
  /// A peer has to be placed, and cannot be at the moment.
  [[nodiscard]] bool waits() const { return waits_; }
  [[nodiscard]] const Rule& rule() const { return rule_; }

  /// Spreads them better, if they were all there. Not from where a peer of another rule may have to be placed soon.
  void Improve(const std::vector<RuleRepair>& others) {
    if (!complete_) return;
    if (std::ranges::any_of(others, &RuleRepair::waits)) {
      const auto better = FindBetterLocation(context_, region_, rule_, stores_);
      if (!better) return;
      const Store& from = *context_.view.FindStore(better->from);
      if (std::ranges::any_of(others, [&](const RuleRepair& other) {
            return other.waits() && MatchesConstraints(from, other.rule().constraints);
          })) {
        return;
      }
    }
    MoveToBetterLocation(context_, region_, rule_, stores_, decision_);
  }

 private:
  void Place() {
    if (fit_.peers.size() < rule_.count) return AddMissing();
    for (const Peer& peer : fit_.peers) {
      if (IsLostPeer(context_, region_, peer)) return Replace(peer, kDown);
      if (region_.IsDown(peer.id) && PromoteWitness(peer)) return;
      const Store* store = context_.view.FindStore(peer.store);
      if (store->IsUp()) continue;
      if (!AddTiFlashLearner()) Replace(peer, kOffline);
      return;
    }
    complete_ = true;
  }

  [[nodiscard]] StoreSelector Selector(bool witness) const {
    return {context_, region_, rule_, NewPeerLike(witness)};
  }

  void AddMissing() {
    const StoreSelector selector = Selector(WantsWitness(context_, rule_));
    const Store* target = selector.Take(selector.ToAdd(stores_), stores_.size(), decision_);
    if (target == nullptr) return FreeStore();
    decision_.Take(
        region_.id,
        Builder(context_, "add-rule-peer", region_)
            .AddPeer({PeerId{}, target->id, RoleOf(rule_), WantsWitness(context_, rule_)})
            .SetWhy(std::to_string(fit_.peers.size()) + " of " + std::to_string(rule_.count) +
                    " peers of rule " + rule_.group_id + "/" + rule_.id)
            .Build(Kind::kReplica, Priority::kHigh));
  }

  /// Another rule's peer may sit on the only store that would do, and that rule have others to choose from.
  void FreeStore() {
    if (decision_.look_again_soon) return;  // A store that does is merely busy.
    for (const RuleFit& other : patient_.fit.rule_fits) {
      if (&other == &fit_ || !other.IsSatisfied()) continue;
      RuleRepair repair(patient_, other, decision_);
      for (const Peer& peer : other.peers) {
        const Store* store = context_.view.FindStore(peer.store);
        if (!MatchesConstraints(*store, rule_.constraints)) continue;
        const bool witness = repair.ReplacesByWitness(peer, kSwapFit);
        const Store* target = repair.Selector(witness).ToReplace(repair.stores_, peer.store).store;
        if (target == nullptr || !StaysFree(other, peer, *target)) continue;
        return repair.Replace(peer, *target, kSwapFit);
      }
    }
  }

  /// Once the peer has moved, this rule would take the store, and both rules would keep what they have then: otherwise
  /// peers would be moved for ever.
  [[nodiscard]] bool StaysFree(const RuleFit& other, const Peer& peer, const Store& target) const {
    Region moved = region_;
    std::erase_if(moved.peers, [&](const Peer& one) { return one.id == peer.id; });
    Peer arrived = peer;
    arrived.id = region_.UnusedPeerId();
    arrived.store = target.id;
    moved.peers.push_back(arrived);
    if (moved.leader.id == peer.id) moved.leader = arrived;
    const NewPeer kind = NewPeerLike(WantsWitness(context_, rule_));
    const Selection taken = StoreSelector(context_, moved, rule_, kind).ToAdd(stores_);
    if (taken.store == nullptr || taken.store->id != peer.store) return false;
    const Peer added{moved.UnusedPeerId(), peer.store, RoleOf(rule_),
                     WantsWitness(context_, rule_)};
    moved.peers.push_back(added);
    const RegionFit after = context_.Fit(moved);
    const auto serves = [&](PeerId one, const Rule* rule) {
      const RuleFit* fit = after.FitOf(one);
      return fit != nullptr && fit->rule == rule;
    };
    return serves(arrived.id, other.rule) && serves(added.id, &rule_);
  }

  /// Before a store that leaves is emptied: voters that move would keep its stores' limits from learners for long.
  bool AddTiFlashLearner() {
    for (const RuleFit& other : patient_.fit.rule_fits) {
      if (!IsTiFlashRule(*other.rule) || other.peers.size() >= other.rule->count) continue;
      Decision decision;  // Should it fail, that rule's own turn says why.
      RuleRepair(patient_, other, decision).AddMissing();
      if (decision.proposals.empty()) continue;
      decision_.proposals = std::move(decision.proposals);
      return true;
    }
    return false;
  }

  /// A voter is gone, for the moment perhaps: a healthy witness gets data, so that there is one copy more of it.
  bool PromoteWitness(const Peer& gone) {
    if (!context_.options.enable_witness || !IsVoter(gone)) return false;
    for (const Peer& peer : region_.peers) {
      if (!peer.witness || !IsVoter(peer) || peer.id == gone.id) continue;
      if (!IsHealthyPeer(region_, peer) || !IsConnected(context_, peer.store)) continue;
      ProposeSwitch(peer, "promote-witness-for-down",
                    "the peer on store " + std::to_string(gone.store.value) + " is down");
      return true;
    }
    return false;
  }

  /// The place of a lost peer is taken at once, since a witness needs no data; it gets its data later. In a place for a
  /// witness it stays one, unless the old peer's data is still needed.
  [[nodiscard]] bool ReplacesByWitness(const Peer& old_peer, std::string_view status) const {
    if (!context_.options.enable_witness) return false;
    if (context_.view.FindStore(old_peer.store)->IsTiFlash()) return false;
    if (status == kDown) return true;
    return rule_.witness &&
           !RefuseRemoval(context_, region_, old_peer.store, CopiesWanted(context_, patient_.fit));
  }

  void Replace(const Peer& old_peer, std::string_view status) {
    const StoreSelector selector = Selector(ReplacesByWitness(old_peer, status));
    const Store* target =
        selector.Take(selector.ToReplace(stores_, old_peer.store), stores_.size(), decision_);
    if (target != nullptr) Replace(old_peer, *target, status);
  }

  void Replace(const Peer& old_peer, const Store& target, std::string_view status) {
    const bool witness = ReplacesByWitness(old_peer, status);
    std::string desc = witness ? "fast-replace-rule-" : "replace-rule-";
    desc.append(status).append("-peer");
    StoreId leader;
    if (old_peer.id == region_.leader.id) leader = NewLeader(old_peer);
    // Moved away first, so that the leaving store need not send the snapshot.
    if (leader) desc = std::string("replace-rule-").append(status) + "-leader-peer";
    const std::string store = "store " + std::to_string(old_peer.store.value);
    Builder builder(context_, desc, region_);
    builder.RemovePeer(old_peer.store)
        .AddPeer({PeerId{}, target.id, RoleOf(rule_), witness})
        .SetWhy(status == kSwapFit ? "another rule needs " + store
                                   : store + " is " + std::string(status));
    if (leader) builder.SetLeader(leader);
    decision_.Take(region_.id,
                   builder.Build(Kind::kReplica, witness ? Priority::kUrgent : Priority::kHigh));
  }

  [[nodiscard]] bool MayLead(const Peer& peer) const {
    if (IsLearner(peer) || peer.witness || region_.IsDown(peer.id) || region_.IsPending(peer.id)) {
      return false;
    }
    const Store* store = context_.view.FindStore(peer.store);
    return store != nullptr && !RefuseLeaderTarget(context_, *store) &&
           !RefuseLeaderByRules(context_, region_, *store);
  }

  /// The peer on the store with the fewest leaders, running transfers counted in; 0 when nobody may lead.
  [[nodiscard]] StoreId NewLeader(const Peer& old_peer) const {
    StoreId best;
    double lowest = 0;
    for (const Peer& peer : region_.peers) {
      if (peer.id == old_peer.id || !MayLead(peer)) continue;
      const Store* store = context_.view.FindStore(peer.store);
      const bool by_size = context_.options.leader_policy == LeaderPolicy::kSize;
      const StoreInfluence& coming = context_.influence.Of(peer.store);
      const double score =
          context_.LeaderScore(*store, by_size ? coming.leader_size_mib : coming.leader_count);
      if (best && score >= lowest) continue;
      best = peer.store;
      lowest = score;
    }
    return best;
  }

  void FixRole(const Peer& peer) {
    const auto take = [&](const char* desc, auto change) {
      Builder builder(context_, desc, region_);
      change(builder);
      decision_.Take(region_.id, builder.Build(Kind::kNone));
    };
    if (IsLearner(peer) && rule_.role != RuleRole::kLearner) {
      return take("fix-peer-role", [&](Builder& b) { b.PromoteLearner(peer.store); });
    }
    if (IsVoter(peer) && rule_.role == RuleRole::kLearner) {
      return take("fix-demote-voter", [&](Builder& b) { b.DemoteVoter(peer.store); });
    }
    // A rule for witnesses never takes the leader: it would come and go.
    if (rule_.role == RuleRole::kLeader && !rule_.witness && MayLead(peer)) {
      return take("fix-leader-role", [&](Builder& b) { b.SetLeader(peer.store); });
    }
    if (rule_.role == RuleRole::kFollower && peer.id == region_.leader.id) {
      const StoreId leader = NewLeader(peer);
      if (leader) take("fix-follower-role", [&](Builder& b) { b.SetLeader(leader); });
    } else if (peer.witness != WantsWitness(context_, rule_)) {
      SwitchWitness(peer);
    }
  }

  /// A witness gets its data back; a peer with data lays it down, unless others are down or wait for theirs, there are
  /// too few copies, or it has come only lately.
  void SwitchWitness(const Peer& peer) {
    std::optional<Refusal> refusal;
    if (!peer.witness) refusal = RefuseLayingDown(peer);
    if (!refusal) refusal = RefuseBasicTarget(context_, *context_.view.FindStore(peer.store));
    if (refusal) return decision_.Refuse(std::move(*refusal));
    ProposeSwitch(
        peer, peer.witness ? "fix-non-witness-peer" : "fix-witness-peer",
        "rule " + rule_.group_id + "/" + rule_.id +
            (WantsWitness(context_, rule_) ? " asks for witnesses" : " asks for no witness"));
  }

  [[nodiscard]] std::optional<Refusal> RefuseLayingDown(const Peer& peer) const {
    if (auto refusal = RefuseUnhealthyRegion(region_)) return refusal;
    if (auto refusal =
            RefuseRemoval(context_, region_, peer.store, CopiesWanted(context_, patient_.fit)))
      return refusal;
    return RefuseSooner(context_, Reason::kRegionWitnessSwitched, region_.id,
                        patient_.data_returned, context_.options.switch_witness_interval);
  }

  void ProposeSwitch(const Peer& peer, const char* desc, std::string why) {
    Proposal proposal;
    proposal.desc = desc;
    proposal.brief = "switch peer: store [" + std::to_string(peer.store.value) + "] to " +
                     (peer.witness ? "non-witness" : "witness");
    proposal.region = region_.id;
    proposal.epoch = region_.epoch;
    proposal.range = {region_.start_key, region_.end_key};
    proposal.size_mib = region_.size_mib;
    proposal.kind = Kind::kWitness;
    proposal.why = std::move(why);
    proposal.steps.emplace_back(BatchSwitchWitness{{{peer.store, peer.id, !peer.witness}}});
    decision_.proposals.push_back(std::move(proposal));
  }

  static constexpr std::string_view kDown = "down";
  static constexpr std::string_view kOffline = "offline";
  static constexpr std::string_view kSwapFit = "swap-fit";

  const Patient& patient_;
  const PlanContext& context_;
  const Region& region_;
  const RuleFit& fit_;
  const Rule& rule_;
  std::vector<const Store*> stores_;  // Of the rule's peers; a fit knows them all.
  Decision& decision_;
  bool complete_ = false;  // All peers are there, and may stay. By Repair().
  bool waits_ = false;
};

/// Places of peers with a vote that are empty, or held by a peer that is lost.
uint64_t MissingPeers(const Patient& patient) {
  uint64_t missing = 0;
  for (const RuleFit& fit : patient.fit.rule_fits) {
    if (fit.rule->role == RuleRole::kLearner) continue;
    const auto lost = std::ranges::count_if(fit.peers, [&](const Peer& peer) {
      return IsLostPeer(patient.context, patient.region, peer);
    });
    missing += fit.rule->count - fit.peers.size() + static_cast<uint64_t>(lost);
  }
  return missing;
}

}  // namespace

Decision CheckRules(const PlanContext& context, const Region& region,
                    std::optional<Instant> data_returned) {
  Decision decision;
  if (!region.HasLeader()) {
    decision.Refuse({Reason::kRegionNoLeader, StoreId{}, region.id, 0, 0, {}});
    return decision;
  }
  if (context.rules.RulesFor(region).empty()) {
    const Reason reason =
        context.rules.rules().empty() ? Reason::kNoRules : Reason::kRegionCrossesRules;
    decision.Refuse({reason, StoreId{}, region.id, 0, 0, {}});
    return decision;
  }
  const Patient patient{context, region, context.Fit(region), data_returned};
  decision.missing_peers = MissingPeers(patient);
  CheckOrphans(context, region, patient.fit, decision);
  std::vector<RuleRepair> repairs;
  repairs.reserve(patient.fit.rule_fits.size());
  for (const RuleFit& rule_fit : patient.fit.rule_fits) {
    if (!decision.proposals.empty()) return decision;
    repairs.emplace_back(patient, rule_fit, decision).Repair();
  }
  for (RuleRepair& repair : repairs) {
    // Only then: the reference improves one rule before it repairs the next, which may want the place just left.
    if (!decision.proposals.empty()) break;
    repair.Improve(repairs);
  }
  return decision;
}

bool HasBetterLocation(const PlanContext& context, const Region& region, const RegionFit& fit) {
  return std::ranges::any_of(fit.rule_fits, [&](const RuleFit& rule_fit) {
    const std::vector<const Store*> stores = StoresOf(context.view, rule_fit.peers);
    return FindBetterLocation(context, region, *rule_fit.rule, stores).has_value();
  });
}

}  // namespace scheduler

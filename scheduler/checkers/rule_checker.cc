#include "scheduler/checkers/rule_checker.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/checkers/orphan_checker.h"
#include "scheduler/checkers/store_selector.h"
#include "scheduler/operator/builder.h"

namespace scheduler {
namespace {

PeerRole RoleOf(const Rule& rule) {
  return rule.role == RuleRole::kLearner ? PeerRole::kLearner : PeerRole::kVoter;
}

/// The isolation score when all peers of the rule differ at the widest level.
double BestIsolation(const RuleFit& fit) {
  double pair = 1;
  for (size_t i = 1; i < fit.rule->location_labels.size(); ++i) pair *= 100;
  const auto count = static_cast<double>(fit.peers.size());
  return pair * count * (count - 1) / 2;
}

/// A peer that would be better located elsewhere.
struct BetterLocation {
  StoreId from;
  Selection selection;  // A store, or one that cannot take the peer now.
};

std::optional<BetterLocation> FindBetterLocation(const PlanContext& context, const Region& region,
                                                 const RuleFit& fit) {
  const Rule& rule = *fit.rule;
  if (rule.location_labels.empty() || rule.count <= 1) return {};
  // The usual case of a healthy region: there is nothing to look for.
  if (fit.isolation_score >= BestIsolation(fit)) return {};
  // With a peer lost, another move would only make it worse.
  if (RefuseRegionMove(region)) return {};
  const std::vector<const Store*> stores = StoresOf(context.view, fit.peers);
  const Store* old_store = SelectStoreToLeave(context, rule, stores);
  if (old_store == nullptr) return {};
  Selection selection = StoreSelector(context, region, rule).ToImprove(stores, *old_store);
  if (selection.store == nullptr && !selection.blocked_for_now) return {};  // As good as it gets.
  return BetterLocation{old_store->id, std::move(selection)};
}

/// Repairs what one rule asks for.
class RuleRepair {
 public:
  RuleRepair(const PlanContext& context, const Region& region, const RegionFit& all,
             const RuleFit& rule_fit, Decision& decision)
      : context_(context),
        region_(region),
        all_(all),
        fit_(rule_fit),
        rule_(*rule_fit.rule),
        stores_(StoresOf(context.view, rule_fit.peers)),
        decision_(decision) {}

  void Repair() {
    if (fit_.peers.size() < rule_.count) return AddMissing();
    for (const Peer& peer : fit_.peers) {
      const Store* store = context_.view.FindStore(peer.store);
      if (region_.IsDown(peer.id) &&
          store->DownTime(context_.now) >= context_.options.max_store_down_time) {
        return Replace(peer, "down");
      }
      if (!store->IsPreparing() && !store->IsServing()) return Replace(peer, "offline");
    }
    for (const Peer& peer : fit_.different_role) {
      FixRole(peer);
      if (!decision_.proposals.empty()) return;
    }
    Improve();
  }

 private:
  /// The store, or null after noting why there is none.
  const Store* Take(Selection selection) {
    if (selection.store != nullptr) return selection.store;
    for (Refusal& refusal : selection.refusals) decision_.Refuse(std::move(refusal));
    decision_.Refuse({selection.blocked_for_now ? Reason::kTargetsBusy : Reason::kNoTarget,
                      StoreId{}, region_.id, static_cast<double>(fit_.peers.size()),
                      static_cast<double>(rule_.count), rule_.group_id + "/" + rule_.id});
    decision_.look_again_soon |= selection.blocked_for_now;
    return nullptr;
  }

  void AddMissing() {
    const Store* target = Take(StoreSelector(context_, region_, rule_).ToAdd(stores_));
    if (target == nullptr) return FreeStore();
    decision_.Take(region_.id, Builder(context_, "add-rule-peer", region_)
                                   .AddPeer({PeerId{}, target->id, RoleOf(rule_), WantsWitness()})
                                   .SetWhy(std::to_string(fit_.peers.size()) + " of " +
                                           std::to_string(rule_.count) + " peers of rule " +
                                           rule_.group_id + "/" + rule_.id)
                                   .Build(Kind::kReplica, Priority::kHigh));
  }

  /// Another rule's peer may sit on the only store that would do, and that rule have others to choose from.
  void FreeStore() {
    if (decision_.look_again_soon) return;  // A store that does is merely busy.
    for (const RuleFit& other : all_.rule_fits) {
      if (&other == &fit_ || !other.IsSatisfied()) continue;
      for (const Peer& peer : other.peers) {
        const Store* store = context_.view.FindStore(peer.store);
        if (!MatchesConstraints(*store, rule_.constraints)) continue;
        RuleRepair repair(context_, region_, all_, other, decision_);
        const Store* target = StoreSelector(context_, region_, *other.rule)
                                  .ToReplace(repair.stores_, peer.store)
                                  .store;
        if (target == nullptr || !StaysFree(other, peer, *target)) continue;
        return repair.Replace(peer, *target, "swap-fit");
      }
    }
  }

  /// Once the peer has moved, this rule would take the store, and both rules would keep what they have then: otherwise
  /// peers would be moved for ever.
  [[nodiscard]] bool StaysFree(const RuleFit& other, const Peer& peer, const Store& target) const {
    Region moved = region_;
    uint64_t id = 0;
    for (const Peer& one : region_.peers) id = std::max(id, one.id.value);
    std::erase_if(moved.peers, [&](const Peer& one) { return one.id == peer.id; });
    Peer arrived = peer;
    arrived.id = {id + 1};
    arrived.store = target.id;
    moved.peers.push_back(arrived);
    if (moved.leader.id == peer.id) moved.leader = arrived;
    const Selection taken = StoreSelector(context_, moved, rule_).ToAdd(stores_);
    if (taken.store == nullptr || taken.store->id != peer.store) return false;
    const Peer added{{id + 2}, peer.store, RoleOf(rule_), WantsWitness()};
    moved.peers.push_back(added);
    const RegionFit after = context_.Fit(moved);
    const auto serves = [&](PeerId one, const Rule* rule) {
      const RuleFit* fit = after.FitOf(one);
      return fit != nullptr && fit->rule == rule;
    };
    return serves(arrived.id, other.rule) && serves(added.id, &rule_);
  }

  void Replace(const Peer& old_peer, const std::string& status) {
    const Store* target =
        Take(StoreSelector(context_, region_, rule_).ToReplace(stores_, old_peer.store));
    if (target != nullptr) Replace(old_peer, *target, status);
  }

  void Replace(const Peer& old_peer, const Store& target, const std::string& status) {
    std::string desc = "replace-rule-" + status + "-peer";
    StoreId leader;
    if (old_peer.id == region_.leader.id) leader = NewLeader(old_peer);
    // Moved away first, so that the leaving store need not send the snapshot.
    if (leader) desc = "replace-rule-" + status + "-leader-peer";
    Builder builder(context_, desc, region_);
    builder.RemovePeer(old_peer.store)
        .AddPeer({PeerId{}, target.id, RoleOf(rule_), WantsWitness()})
        .SetWhy(status == "swap-fit"
                    ? "another rule needs store " + std::to_string(old_peer.store.value)
                    : "store " + std::to_string(old_peer.store.value) + " is " + status);
    if (leader) builder.SetLeader(leader);
    decision_.Take(region_.id, builder.Build(Kind::kReplica, Priority::kHigh));
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
    } else if (peer.witness != WantsWitness()) {
      SwitchWitness(peer);
    }
  }

  [[nodiscard]] bool WantsWitness() const {
    return rule_.witness && context_.options.enable_witness;
  }

  /// A witness gets its data back; one that has its data lays it down, unless others are down or wait for theirs.
  void SwitchWitness(const Peer& peer) {
    const bool to_witness = !peer.witness;
    if (auto refusal = RefuseUnhealthyRegion(region_); to_witness && refusal) {
      decision_.Refuse(std::move(*refusal));
      return;
    }
    Proposal proposal;
    proposal.desc = to_witness ? "fix-witness-peer" : "fix-non-witness-peer";
    proposal.brief = "switch peer: store [" + std::to_string(peer.store.value) + "] to " +
                     (to_witness ? "witness" : "non-witness");
    proposal.region = region_.id;
    proposal.epoch = region_.epoch;
    proposal.range = {region_.start_key, region_.end_key};
    proposal.size_mib = region_.size_mib;
    proposal.kind = Kind::kWitness;
    proposal.why = "rule " + rule_.group_id + "/" + rule_.id +
                   (WantsWitness() ? " asks for witnesses" : " asks for no witness");
    proposal.steps.emplace_back(BatchSwitchWitness{{{peer.store, peer.id, to_witness}}});
    decision_.proposals.push_back(std::move(proposal));
  }

  void Improve() {
    auto better = FindBetterLocation(context_, region_, fit_);
    if (!better) return;
    const Store* target = Take(std::move(better->selection));
    if (target == nullptr) return;
    Peer peer = *region_.PeerOnStore(better->from);
    peer.id = {};
    peer.store = target->id;
    decision_.Take(region_.id, Builder(context_, "move-to-better-location", region_)
                                   .RemovePeer(better->from)
                                   .AddPeer(peer)
                                   .SetWhy("the peers of rule " + rule_.group_id + "/" + rule_.id +
                                           " share a location")
                                   .Build(Kind::kReplica));
  }

  const PlanContext& context_;
  const Region& region_;
  const RegionFit& all_;
  const RuleFit& fit_;
  const Rule& rule_;
  std::vector<const Store*> stores_;  // Of the rule's peers; a fit knows them all.
  Decision& decision_;
};

}  // namespace

Decision CheckRules(const PlanContext& context, const Region& region) {
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
  const RegionFit fit = context.Fit(region);
  CheckOrphans(context, region, fit, decision);
  for (const RuleFit& rule_fit : fit.rule_fits) {
    if (!decision.proposals.empty()) break;
    RuleRepair(context, region, fit, rule_fit, decision).Repair();
  }
  return decision;
}

bool HasBetterLocation(const PlanContext& context, const Region& region, const RegionFit& fit) {
  return std::ranges::any_of(fit.rule_fits, [&](const RuleFit& rule_fit) {
    return FindBetterLocation(context, region, rule_fit).has_value();
  });
}

}  // namespace scheduler

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/filters/plan_context.h"
#include "scheduler/model/result.h"
#include "scheduler/operator/operator.h"

namespace scheduler {

/// Turns "the peers and the leader that this region should have" into steps that are safe one by one: data before
/// votes (a new peer is a learner first), no step below the quorum that the step before it had, the leader away from a
/// peer before the peer goes (as in the reference). With joint consensus all votes change at once. A voter that is to
/// get the data it lacks as a witness has no vote until it has them; without joint consensus it goes and comes again.
///
/// Calls collect changes; the first wrong one is remembered and returned by Build. Works on one thread.
class Builder {
 public:
  Builder(const PlanContext& context, std::string desc, const Region& region);

  /// A peer on a store that has none; its id may be 0.
  Builder& AddPeer(const Peer& peer);
  Builder& RemovePeer(StoreId store);
  Builder& PromoteLearner(StoreId store);
  Builder& DemoteVoter(StoreId store);
  /// Exactly these peers, by store; ids of peers that stay are kept.
  Builder& SetPeers(const std::map<StoreId, Peer>& peers);
  Builder& SetLeader(StoreId store);
  /// Further stores that will do as leader; SetLeader names the first choice. Only for pure leader transfers.
  Builder& SetLeaderCandidates(std::vector<StoreId> stores);
  Builder& SetExpectedRoles(std::map<StoreId, RuleRole> roles);
  /// The leader is what a person asked for: filters and rules do not stand in the way.
  Builder& ForceLeader();
  Builder& SkipRuleCheck();
  /// Peers that come, or that go, cost the stores' limits nothing.
  Builder& LightAdd();
  Builder& LightRemove();
  Builder& SetWhy(std::string why);

  /// kInvalidArgument with a text for people when the wish makes no sense or no safe order exists.
  [[nodiscard]] Result<Proposal> Build(Kind kind, Priority priority = Priority::kMedium);

 private:
  using PeersByStore = std::map<StoreId, Peer>;

  // One round of changes without joint consensus.
  struct Plan {
    StoreId leader_before_add;
    StoreId leader_before_remove;
    std::optional<Peer> add;
    std::optional<Peer> promote;
    std::optional<Peer> remove;
  };
  using Rank = std::vector<int64_t>;  // Compared from the front; larger is better.

  void Fail(const std::string& text);
  void CheckWish();
  void FindWitnessSwitch(const Peer& target);
  void FindDifferences();
  [[nodiscard]] bool NeedsJoint() const;
  [[nodiscard]] std::string Brief() const;
  [[nodiscard]] std::string SwitchBrief() const;
  [[nodiscard]] std::vector<StoreId> StoresIn(const PeersByStore& peers) const;

  [[nodiscard]] bool MayLead(const Peer& peer) const;
  /// The best leader among the target peers; id 0 when none may lead.
  [[nodiscard]] StoreId ChooseTargetLeader() const;
  [[nodiscard]] Rank LeaderRank(const Peer& peer) const;

  // Steps; each keeps current_ in step with what the region will look like.
  void DoTransfer(StoreId to);
  void DoAdd(const Peer& peer);
  void DoPromote(const Peer& peer);
  void DoRemove(const Peer& peer);
  void DoEnterAndLeave(const PeersByStore& promotes, const PeersByStore& demotes,
                       bool transfer_inside = false);
  /// Of witnesses. Before old copies go: the reference removes peers first, and makes all switches in one step.
  void DoBringData();
  void DoSwitch(const PeersByStore& switched);

  void BuildJoint();
  void BuildSingle();
  /// Whether copies of the data may go while others are yet to come.
  enum class Copies : uint8_t { kKept, kMayGo };
  [[nodiscard]] std::optional<Plan> NextPlan(Copies copies) const;
  [[nodiscard]] std::optional<Plan> BestReplacement(Copies copies) const;
  [[nodiscard]] std::optional<Plan> BestRemoval(Copies copies) const;
  [[nodiscard]] bool Lessens(const Plan& plan) const;
  [[nodiscard]] std::optional<Plan> BestAddition() const;
  void ConsiderLeaders(const Plan& plan, std::optional<Plan>& best, Rank& best_rank) const;
  [[nodiscard]] Rank PlanRank(const Plan& plan) const;
  [[nodiscard]] int64_t SharedLocation(const Peer& a, const Peer& b) const;
  [[nodiscard]] int64_t AddedAt(StoreId store, const Plan& plan) const;
  void Carry(const Plan& plan);

  const PlanContext& context_;
  Proposal proposal_;
  const Region& region_;
  std::vector<const Rule*> rules_;
  std::optional<std::string> error_;

  PeersByStore origin_;
  PeersByStore target_;
  StoreId target_leader_;  // 0: any.
  std::vector<StoreId> leader_candidates_;
  std::map<StoreId, RuleRole> expected_roles_;
  bool force_leader_ = false;
  bool skip_rule_check_ = false;
  bool light_add_ = false;
  bool light_remove_ = false;

  PeersByStore to_add_;
  PeersByStore to_remove_;
  PeersByStore to_promote_;
  PeersByStore to_demote_;
  PeersByStore to_witness_;
  PeersByStore to_data_;           // Witnesses that get their data ...
  PeersByStore to_promote_after_;  // ... and those of them that vote then.
  PeersByStore current_;
  StoreId current_leader_;
  std::map<StoreId, size_t> added_at_;  // Number of steps when the peer came; absent: was there.
};

}  // namespace scheduler

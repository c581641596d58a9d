// The order of steps without joint consensus (as in the reference): round by round the best of all small plans.
#include <algorithm>
#include <iterator>

#include "scheduler/operator/builder.h"

namespace scheduler {

void Builder::BuildSingle() {
  DoBringData();
  while (!to_add_.empty() || !to_remove_.empty() || !to_promote_.empty()) {
    std::optional<Plan> plan = NextPlan(Copies::kKept);
    if (!plan) plan = NextPlan(Copies::kMayGo);
    if (!plan) return Fail("fail to build operator: plan is empty, maybe no valid leader");
    Carry(*plan);
  }
  if (!target_leader_) target_leader_ = ChooseTargetLeader();
  if (!target_leader_ && to_witness_.contains(current_leader_)) {
    return Fail("fail to build operator: plan is empty, maybe no valid leader");
  }
  if (target_leader_ && target_leader_ != current_leader_) DoTransfer(target_leader_);
  DoSwitch(to_witness_);
}

/// A copy of the data goes without another that comes, while one is yet to come. The reference minds votes alone.
bool Builder::Lessens(const Plan& plan) const {
  const bool loses = plan.remove && !plan.remove->witness;
  const bool brings = plan.add && !plan.add->witness;
  return loses && !brings &&
         std::ranges::any_of(to_add_, [](const auto& entry) { return !entry.second.witness; });
}

std::optional<Builder::Plan> Builder::NextPlan(Copies copies) const {
  if (auto plan = BestReplacement(copies)) return plan;
  if (!to_promote_.empty()) {
    Plan plan;
    plan.leader_before_add = plan.leader_before_remove = current_leader_;
    plan.promote = to_promote_.begin()->second;
    return plan;
  }
  if (auto plan = BestRemoval(copies)) return plan;
  return BestAddition();
}

std::optional<Builder::Plan> Builder::BestReplacement(Copies copies) const {
  std::optional<Plan> best;
  Rank best_rank;
  for (const auto& [add_store, add] : to_add_) {
    if (current_.contains(add_store)) continue;  // What is there goes first.
    for (const auto& [remove_store, remove] : to_remove_) {
      Plan plan;
      plan.add = add;
      plan.remove = remove;
      if (copies == Copies::kKept && Lessens(plan)) continue;
      if (IsLearner(add) == IsLearner(remove)) ConsiderLeaders(plan, best, best_rank);
      if (!IsLearner(add) || IsLearner(remove)) continue;
      for (const auto& promoted : to_promote_) {
        plan.promote = promoted.second;
        ConsiderLeaders(plan, best, best_rank);
      }
    }
  }
  return best;
}

std::optional<Builder::Plan> Builder::BestRemoval(Copies copies) const {
  std::optional<Plan> best;
  Rank best_rank;
  for (const auto& entry : to_remove_) {
    Plan plan;
    plan.remove = entry.second;
    if (copies == Copies::kKept && Lessens(plan)) continue;
    ConsiderLeaders(plan, best, best_rank);
  }
  return best;
}

std::optional<Builder::Plan> Builder::BestAddition() const {
  std::optional<Plan> best;
  Rank best_rank;
  for (const auto& entry : to_add_) {
    if (current_.contains(entry.first)) continue;
    Plan plan;
    plan.add = entry.second;
    ConsiderLeaders(plan, best, best_rank);
  }
  return best;
}

void Builder::ConsiderLeaders(const Plan& plan, std::optional<Plan>& best, Rank& best_rank) const {
  const auto consider = [&](StoreId before_add, StoreId before_remove) {
    Plan candidate = plan;
    candidate.leader_before_add = before_add;
    candidate.leader_before_remove = before_remove;
    Rank rank = PlanRank(candidate);
    if (!best || rank > best_rank) {
      best = candidate;
      best_rank = std::move(rank);
    }
  };
  PeersByStore after_add = current_;
  for (const auto& change : {plan.add, plan.promote}) {
    if (change) after_add[change->store] = *change;
  }
  for (const auto& [before_add, first] : current_) {
    if (!MayLead(first)) continue;
    if (!plan.remove) {
      consider(before_add, before_add);
      continue;
    }
    for (const auto& [before_remove, second] : after_add) {
      if (before_remove == plan.remove->store || !MayLead(second)) continue;
      consider(before_add, before_remove);
    }
  }
}

Builder::Rank Builder::PlanRank(const Plan& plan) const {
  int64_t nearest = 0;
  if (plan.add && plan.remove) nearest = SharedLocation(*plan.add, *plan.remove);
  if (plan.add && plan.promote)
    nearest = std::min(nearest, SharedLocation(*plan.add, *plan.promote));
  const Store* first = context_.view.FindStore(plan.leader_before_add);
  const bool up = first != nullptr && first->IsUp();
  const auto brings = [&](const std::optional<Peer>& peer) {
    return peer && target_leader_ && peer->store == target_leader_;
  };
  const int64_t transfers = (plan.leader_before_add != current_leader_ ? 1 : 0) +
                            (plan.leader_before_remove != plan.leader_before_add ? 1 : 0);
  Rank rank{nearest,
            up ? 1 : 0,
            -AddedAt(plan.leader_before_add, plan) - AddedAt(plan.leader_before_remove, plan),
            brings(plan.add) || brings(plan.promote) ? 1 : 0,
            target_leader_ && plan.leader_before_remove == target_leader_ ? 1 : 0,
            -transfers};
  // Of equals the one that would lead in the end; the reference takes the first, and balance-leader moves it on.
  std::ranges::copy(LeaderRank({{}, plan.leader_before_remove}), std::back_inserter(rank));
  return rank;
}

int64_t Builder::SharedLocation(const Peer& a, const Peer& b) const {
  const Store* store_a = context_.view.FindStore(a.store);
  const Store* store_b = context_.view.FindStore(b.store);
  if (store_a == nullptr || store_b == nullptr) return 0;
  int64_t shared = 0;
  for (const std::string& label : context_.options.location_labels) {
    if (store_a->Label(label) != store_b->Label(label)) break;
    ++shared;
  }
  return shared;
}

int64_t Builder::AddedAt(StoreId store, const Plan& plan) const {
  if (plan.add && plan.add->store == store) {
    return static_cast<int64_t>(proposal_.steps.size()) + 1;
  }
  const auto it = added_at_.find(store);
  return it == added_at_.end() ? 0 : static_cast<int64_t>(it->second);
}

void Builder::Carry(const Plan& plan) {
  if (plan.leader_before_add != current_leader_) DoTransfer(plan.leader_before_add);
  if (plan.add) {
    DoAdd(*plan.add);
    if (IsVoter(*plan.add)) DoPromote(*plan.add);
    to_add_.erase(plan.add->store);
  }
  if (plan.promote) {
    DoPromote(*plan.promote);
    to_promote_.erase(plan.promote->store);
  }
  if (plan.leader_before_remove != current_leader_) DoTransfer(plan.leader_before_remove);
  if (plan.remove) {
    DoRemove(*plan.remove);
    to_remove_.erase(plan.remove->store);
  }
}

}  // namespace scheduler

#include "scheduler/schedulers/balance_level.h"

#include <algorithm>
#include <set>
#include <string_view>

namespace scheduler {
namespace {

/// A label that no two stores have in common tells nothing of who shares with whom.
bool Groups(const ClusterView& view, const std::string& key) {
  std::set<std::string_view> seen;
  return std::ranges::any_of(view.stores(), [&](const Store& store) {
    return store.state != StoreState::kTombstone && !seen.insert(store.Label(key)).second;
  });
}

}  // namespace

BalanceLevel::BalanceLevel(const PlanContext& context) {
  for (const std::string& key : context.rules.label_keys()) {
    if (Groups(context.view, key)) keys_.push_back(key);
  }
}

std::string BalanceLevel::ClassOf(const Store& store) const {
  std::string name = store.IsTiFlash() ? "1" : "0";
  for (const std::string& key : keys_) {
    name += '\0';
    name += store.Label(key);
  }
  return name;
}

void BalanceLevel::Add(const Store& store, double amount, double score, Takes takes) {
  for (Share* share : {&engines_[store.IsTiFlash()], &classes_[ClassOf(store)]}) {
    share->amount += amount;
    if (takes == Takes::kItsShare && score > 0) share->per_score += amount / score;
  }
}

BalanceLevel::Levels BalanceLevel::LevelsFor(const Store& store) const {
  const auto engine = engines_.find(store.IsTiFlash());
  const auto alike = classes_.find(ClassOf(store));
  if (engine == engines_.end() || alike == classes_.end()) return {};
  const auto [lower, higher] = std::minmax({engine->second.level(), alike->second.level()});
  return {lower, higher};
}

bool HoldBack::MayGive(const Store& source, double score, Decision& decision) {
  const double level = level_.LevelsFor(source).lower;
  if (in_vain_ || score > level || (at_level_in_vain_ && score >= level)) return true;
  held_ = RetryQuota::Held::kSome;
  decision.Refuse({Reason::kBelowLevel, source.id, {}, score, level, {}});
  return false;
}

bool HoldBack::MayTake(const Store& target, double score, Decision& decision) {
  const double level = level_.LevelsFor(target).higher;
  if (score < level) return true;
  full_ = RetryQuota::Held::kSome;
  if (full_in_vain_) return true;
  decision.Refuse({Reason::kAlreadyBalanced, target.id, {}, score, level, "the mean of all"});
  return false;
}

}  // namespace scheduler

#include "scheduler/schedulers/balance_level.h"

#include <algorithm>
#include <cmath>
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

/// But for what computing with fractions does.
bool Same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(a, b); }

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
    ++share->stores;
    if (takes == Takes::kItsShare && score > 0) share->per_score += amount / score;
  }
}

BalanceLevel::Levels BalanceLevel::LevelsFor(const Store& store) const {
  const auto engine = engines_.find(store.IsTiFlash());
  const auto alike = classes_.find(ClassOf(store));
  if (engine == engines_.end() || alike == classes_.end()) return {};
  const bool alone = alike->second.stores == 1;
  const auto [lower, higher] = std::minmax({engine->second.level(), alike->second.level()});
  return {lower, alone ? engine->second.level() : higher, alone};
}

bool HoldBack::MayGive(const Store& source, double score, Decision& decision) {
  const auto [level, higher, alone] = level_.LevelsFor(source);
  const bool at_level = Same(score, level);
  if (in_vain_.below || (at_level ? alone : score > level)) return true;
  held_back_ = true;
  if (at_level && in_vain_.at_level) return true;
  decision.Refuse(
      {at_level ? Reason::kAtLevel : Reason::kBelowLevel, source.id, {}, score, level, {}});
  return false;
}

bool HoldBack::MayTake(const Store& target, double score, Decision& decision) {
  const double level = level_.LevelsFor(target).higher;
  if (score < level && !Same(score, level)) return true;
  full_ = true;
  if (in_vain_.full) return true;
  decision.Refuse({Reason::kAtLevel, target.id, {}, score, level, {}});
  return false;
}

}  // namespace scheduler

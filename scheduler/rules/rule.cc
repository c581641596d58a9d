#include "scheduler/rules/rule.h"

#include <algorithm>
#include <utility>

namespace scheduler {
namespace {

bool IsExclusive(std::string_view key) {
  return key.starts_with('$') || EqualsIgnoringCase(key, kEngineLabel) ||
         EqualsIgnoringCase(key, "exclusive");
}

bool Matches(const Store& store, const LabelConstraint& constraint) {
  const std::string_view value = store.Label(constraint.key);
  const bool listed = std::ranges::find(constraint.values, value) != constraint.values.end();
  switch (constraint.op) {
    case ConstraintOp::kIn:
      return !value.empty() && listed;
    case ConstraintOp::kNotIn:
      return value.empty() || !listed;
    case ConstraintOp::kExists:
      return !value.empty();
    case ConstraintOp::kNotExists:
      return value.empty();
  }
  return false;
}

}  // namespace

Rule DefaultRule(uint64_t max_replicas, std::vector<std::string> location_labels,
                 std::string isolation_level) {
  Rule rule;
  rule.group_id = kDefaultRuleGroup;
  rule.id = kDefaultRuleId;
  rule.count = max_replicas;
  rule.location_labels = std::move(location_labels);
  rule.isolation_level = std::move(isolation_level);
  return rule;
}

bool MatchesConstraints(const Store& store, const std::vector<LabelConstraint>& constraints) {
  for (const StoreLabel& label : store.labels) {
    if (!IsExclusive(label.key)) continue;
    const bool named = std::ranges::any_of(
        constraints, [&](const LabelConstraint& c) { return c.key == label.key; });
    if (!named) return false;
  }
  return std::ranges::all_of(constraints,
                             [&](const LabelConstraint& c) { return Matches(store, c); });
}

bool AllowLeader(const std::vector<const Rule*>& rules, const Store& store) {
  return std::ranges::any_of(rules, [&](const Rule* rule) {
    const bool may = rule->role == RuleRole::kLeader || rule->role == RuleRole::kVoter;
    return may && !rule->witness && MatchesConstraints(store, rule->constraints);
  });
}

bool MatchesRole(const Peer& peer, const Peer& leader, RuleRole role) {
  switch (role) {
    case RuleRole::kVoter:
      return IsVoter(peer);
    case RuleRole::kLeader:
      return peer.id == leader.id;
    case RuleRole::kFollower:
      return IsVoter(peer) && peer.id != leader.id;
    case RuleRole::kLearner:
      return IsLearner(peer);
  }
  return false;
}

}  // namespace scheduler

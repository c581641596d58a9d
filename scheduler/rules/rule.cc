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

bool Covers(const KeyRange& range, const Region& region) {
  return range.start <= region.start_key && !EndsAfter(region.end_key, range.end);
}

bool Overlaps(const KeyRange& range, const Region& region) {
  const bool before = !region.end_key.empty() && region.end_key <= range.start;
  const bool after = !range.end.empty() && range.end <= region.start_key;
  return !before && !after;
}

}  // namespace

Rule DefaultRule(uint64_t max_replicas, std::vector<std::string> location_labels,
                 std::string isolation_level) {
  Rule rule;
  rule.group_id = "pd";
  rule.id = "default";
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

std::vector<const Rule*> RuleBook::RulesFor(const Region& region) const {
  std::vector<const Rule*> applied;
  for (const Rule& rule : rules_) {
    if (!Overlaps(rule.range, region)) continue;
    if (!Covers(rule.range, region)) return {};
    applied.push_back(&rule);
  }
  return applied;
}

}  // namespace scheduler

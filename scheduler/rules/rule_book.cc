#include "scheduler/rules/rule_book.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "scheduler/model/hex.h"

namespace scheduler {
namespace {

tl::unexpected<Error> Refuse(ErrorCode code, const std::string& why) {
  return Fail(code, "[PD:placement:ErrBuildRuleList]build rule list failed, " + why);
}

/// "pd/default, pd/learners".
std::string Names(const std::vector<const Rule*>& rules) {
  std::string names;
  for (const Rule* rule : rules) {
    if (!names.empty()) names += ", ";
    names += rule->group_id + "/" + rule->id;
  }
  return names;
}

/// Drops what later rules and groups override.
void ApplyOverrides(const std::map<std::string, RuleGroup>& groups,
                    std::vector<const Rule*>& rules) {
  std::vector<const Rule*> applied;
  size_t group_begin = 0;
  const std::string* group_id = nullptr;
  for (const Rule* rule : rules) {
    if (group_id == nullptr || *group_id != rule->group_id) {
      group_id = &rule->group_id;
      const auto group = groups.find(*group_id);
      if (group != groups.end() && group->second.overrides) applied.clear();
      group_begin = applied.size();
    }
    if (rule->overrides) applied.resize(group_begin);
    applied.push_back(rule);
  }
  rules = std::move(applied);
}

/// The fewest of `rules` that ask for more than one leader; none if they do not.
std::vector<const Rule*> TooManyLeaders(const std::vector<const Rule*>& rules) {
  std::vector<const Rule*> leaders;
  for (const Rule* rule : rules) {
    if (rule->role != RuleRole::kLeader) continue;
    if (rule->count > 1) return {rule};
    leaders.push_back(rule);
  }
  if (leaders.size() < 2) return {};
  leaders.resize(2);
  return leaders;
}

bool HasWhoMayLead(const std::vector<const Rule*>& rules) {
  return std::ranges::any_of(rules, [](const Rule* rule) {
    return (rule->role == RuleRole::kLeader || rule->role == RuleRole::kVoter) && !rule->witness;
  });
}

size_t BytesOf(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += sizeof(std::string) + text.size();
  return bytes;
}

/// Why a set is too large, for people; empty if it is not.
std::string TooLarge(const RuleSet& set, const RuleSetBounds& bounds) {
  if (set.rules.size() + set.groups.size() > bounds.rules) {
    return "more than " + std::to_string(bounds.rules) + " rules and groups";
  }
  size_t bytes = 0;
  std::vector<const KeyRange*> ranges;
  for (const auto& [key, rule] : set.rules) {
    if (std::max(rule.range.start.size(), rule.range.end.size()) > bounds.key_bytes) {
      return "a key of more than " + std::to_string(bounds.key_bytes) + " bytes";
    }
    if (rule.count > bounds.count) {
      return "a rule of more than " + std::to_string(bounds.count) + " peers";
    }
    bytes += sizeof(Rule) + key.group_id.size() + key.id.size() + rule.isolation_level.size();
    bytes += 3 * (rule.range.start.size() + rule.range.end.size());  // As text as well.
    for (const LabelConstraint& constraint : rule.constraints) {
      bytes += sizeof(LabelConstraint) + constraint.key.size();
      bytes += BytesOf(constraint.values);
    }
    bytes += BytesOf(rule.location_labels);
    ranges.push_back(&rule.range);
  }
  for (const auto& [id, group] : set.groups) bytes += sizeof(RuleGroup) + id.size();
  if (bytes > bounds.bytes) return "more than " + std::to_string(bounds.bytes) + " bytes";
  if (CountPlaces(ranges, bounds.places) > bounds.places) {
    return "key ranges that overlap in too many places";
  }
  return {};
}

bool SameRules(const std::vector<const Rule*>& a, const std::vector<const Rule*>& b) {
  return std::ranges::equal(a, b, [](const Rule* x, const Rule* y) { return *x == *y; });
}

}  // namespace

RuleGroup RuleSet::GroupOf(const std::string& id) const {
  const auto found = groups.find(id);
  return found == groups.end() ? RuleGroup{id, 0, false} : found->second;
}

std::vector<RuleGroup> RuleSet::AllGroups() const {
  std::map<std::string, RuleGroup> all = groups;
  for (const auto& [key, rule] : rules) all.try_emplace(key.group_id, GroupOf(key.group_id));
  std::vector<RuleGroup> sorted;
  for (auto& [id, group] : all) sorted.push_back(std::move(group));
  std::ranges::stable_sort(sorted, {}, &RuleGroup::index);
  return sorted;
}

RuleBook::RuleBook(std::vector<Rule> rules) : RuleBook(std::move(rules), {}) {}

RuleBook::RuleBook(std::vector<Rule> rules, const std::map<std::string, RuleGroup>& groups)
    : rules_(std::move(rules)) {
  for (const Rule& rule : rules_) index_.Add(rule.range, &rule);
  index_.Build();
  index_.ForEachRange(
      [&](std::vector<const Rule*>& covering) { ApplyOverrides(groups, covering); });
  std::set<std::string> keys;
  for (const Rule& rule : rules_) {
    for (const LabelConstraint& constraint : rule.constraints) keys.insert(constraint.key);
    if (!rule.location_labels.empty()) keys.insert(rule.location_labels.front());
  }
  label_keys_.assign(keys.begin(), keys.end());
}

Result<RuleBook> RuleBook::Make(const RuleSet& set, const RuleSetBounds& bounds) {
  if (const std::string why = TooLarge(set, bounds); !why.empty()) {
    return Refuse(ErrorCode::kLimited, "the rules would have " + why);
  }
  if (set.rules.empty()) return Refuse(ErrorCode::kConflict, "no rule left");
  std::vector<Rule> rules;
  for (const auto& [key, rule] : set.rules) rules.push_back(rule);  // By group id and id.
  std::map<std::string_view, int64_t> group_index;
  for (const auto& [id, group] : set.groups) group_index[id] = group.index;
  const auto index_of = [&](const Rule& rule) {
    const auto found = group_index.find(rule.group_id);
    return found == group_index.end() ? 0 : found->second;
  };
  std::ranges::stable_sort(rules, [&](const Rule& a, const Rule& b) {
    return std::tuple(index_of(a), std::string_view(a.group_id), a.index) <
           std::tuple(index_of(b), std::string_view(b.group_id), b.index);
  });
  RuleBook book(std::move(rules), set.groups);
  if (auto checked = book.Check(bounds); !checked) return tl::unexpected(checked.error());
  return book;
}

Result<void> RuleBook::Check(const RuleSetBounds& limits) const {
  const std::vector<std::string>& bounds = index_.bounds();
  for (size_t i = 0; i < index_.by_range().size(); ++i) {
    const std::vector<const Rule*>& rules = index_.by_range()[i];
    const std::string range = "{" + (i == 0 ? "" : UpperHex(bounds[i - 1])) + ", " +
                              (i == bounds.size() ? "" : UpperHex(bounds[i])) + "}";
    const auto refuse = [&](const std::string& why, const std::vector<const Rule*>& culprits) {
      const std::string names = culprits.empty() ? "" : ": " + Names(culprits);
      return Refuse(ErrorCode::kConflict, why + " for range " + range + names);
    };
    if (rules.size() > limits.per_range) {
      return Refuse(ErrorCode::kLimited,
                    "more than " + std::to_string(limits.per_range) + " rules for range " + range);
    }
    if (const auto culprits = TooManyLeaders(rules); !culprits.empty()) {
      return refuse("multiple leader replicas", culprits);
    }
    if (!HasWhoMayLead(rules)) return refuse("needs at least one leader or voter", rules);
  }
  return {};
}

const std::vector<const Rule*>& RuleBook::RulesFor(const Region& region) const {
  static const std::vector<const Rule*> kNone;
  return index_.Cuts(region) ? kNone : index_.At(region.start_key);
}

std::vector<KeyRange> RuleBook::Ranges() const {
  std::vector<KeyRange> ranges(1);
  for (const std::string& bound : index_.bounds()) {
    ranges.back().end = bound;
    ranges.push_back({bound, {}});
  }
  return ranges;
}

std::vector<KeyRange> RuleBook::ChangedSince(const RuleBook& before) const {
  std::set<std::string> cuts = {""};
  cuts.insert(index_.bounds().begin(), index_.bounds().end());
  cuts.insert(before.index_.bounds().begin(), before.index_.bounds().end());
  const auto has_bound = [](const RuleBook& book, const std::string& key) {
    return key.empty() || std::ranges::binary_search(book.index_.bounds(), key);
  };
  std::vector<KeyRange> changed;
  for (auto cut = cuts.begin(); cut != cuts.end(); ++cut) {
    const auto next = std::next(cut);
    const std::string end = next == cuts.end() ? "" : *next;
    const bool cut_alike = has_bound(*this, *cut) && has_bound(before, *cut) &&
                           has_bound(*this, end) && has_bound(before, end);
    if (cut_alike && SameRules(RulesAt(*cut), before.RulesAt(*cut))) continue;
    if (!changed.empty() && changed.back().end == *cut) {
      changed.back().end = end;
    } else {
      changed.push_back({*cut, end});
    }
  }
  return changed;
}

}  // namespace scheduler

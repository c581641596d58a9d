#include "scheduler/rules/region_label.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace scheduler {
namespace {

/// Orders rules by precedence.
struct CountsBefore {
  bool operator()(const LabelRule* a, const LabelRule* b) const {
    return a->index != b->index ? a->index > b->index : a->id < b->id;
  }
};

/// What begins and ends at one bound.
struct Turn {
  std::vector<const LabelRule*> begins;
  std::vector<const LabelRule*> ends;
};

struct Found {
  const LabelRule* rule = nullptr;
  const RegionLabel* label = nullptr;
};

/// The label of the first rule that has one of this key.
Found FirstWith(std::span<const LabelRule* const> rules, std::string_view key, int64_t unix_ns) {
  for (const LabelRule* rule : rules) {
    for (const RegionLabel& label : rule->labels) {
      if (label.key == key && !label.IsExpired(unix_ns)) return {rule, &label};
    }
  }
  return {};
}

}  // namespace

bool IsKeyspaceRule(const LabelRule& rule) {
  constexpr std::string_view kPrefix = "keyspaces/";
  if (!rule.id.starts_with(kPrefix) || rule.index != 0 || rule.labels.size() != 1) return false;
  const std::string_view number = std::string_view(rule.id).substr(kPrefix.size());
  const bool numeric = !number.empty() && number.find_first_not_of("0123456789") == number.npos;
  const RegionLabel& label = rule.labels.front();
  return numeric && label.key == "id" && label.value == number && label.ttl.empty();
}

std::string TooLarge(const RegionLabelBook::Rules& rules, const LabelBookBounds& bounds) {
  size_t ranges = 0;
  size_t bytes = 0;
  std::vector<std::pair<std::string_view, int>> turns;  // Where ranges begin (1) and end (-1).
  for (const auto& [id, rule] : rules) {
    ranges += rule.ranges.size();
    bytes += id.size();
    if (ranges > bounds.ranges) return "more than " + std::to_string(bounds.ranges) + " key ranges";
    for (const RegionLabel& label : rule.labels) bytes += label.key.size() + label.value.size();
    for (const LabelRange& range : rule.ranges) {
      if (std::max(range.keys.start.size(), range.keys.end.size()) > bounds.key_bytes) {
        return "a key of more than " + std::to_string(bounds.key_bytes) + " bytes";
      }
      bytes += 3 * (range.keys.start.size() + range.keys.end.size());  // As text as well.
      turns.emplace_back(range.keys.start, 1);
      if (!range.keys.end.empty()) turns.emplace_back(range.keys.end, -1);
    }
  }
  if (bytes > bounds.bytes) return "more than " + std::to_string(bounds.bytes) + " bytes";
  std::sort(turns.begin(), turns.end());
  size_t open = 0;
  size_t places = 0;
  for (size_t i = 0; i < turns.size(); ++i) {
    open += static_cast<size_t>(turns[i].second);  // Wraps back.
    if (i + 1 == turns.size() || turns[i].first != turns[i + 1].first) places += open;
    if (places > bounds.places) return "key ranges that overlap in too many places";
  }
  return {};
}

bool RegionLabelBook::IsScheduleDenied(const Region& region, int64_t unix_ns) const {
  constexpr std::string_view kDeny = "deny";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto value = LabelOf(region, "schedule", unix_ns);
  return value && std::ranges::equal(*value, kDeny, {}, lower);
}

RegionLabelBook::RegionLabelBook(Rules rules) : rules_(std::move(rules)) {
  Precedence ordinary;
  Precedence keyspaces;
  for (const auto& [id, rule] : rules_) {
    (IsKeyspaceRule(rule) ? keyspaces : ordinary).push_back(&rule);
  }
  ordinary_.Build(ordinary);
  keyspaces_.Build(keyspaces);
}

void RegionLabelBook::Index::Build(const Precedence& rules) {
  std::map<std::string, Turn> turns;
  for (const LabelRule* rule : rules) {
    for (const LabelRange& range : rule->ranges) {
      turns[range.keys.start].begins.push_back(rule);
      if (!range.keys.end.empty()) turns[range.keys.end].ends.push_back(rule);
    }
  }
  // A rule is in it more than once where its own ranges overlap.
  std::multiset<const LabelRule*, CountsBefore> open;
  for (auto& [bound, turn] : turns) {
    for (const LabelRule* rule : turn.ends) open.erase(open.find(rule));
    open.insert(turn.begins.begin(), turn.begins.end());
    Precedence covering(open.begin(), open.end());
    covering.erase(std::unique(covering.begin(), covering.end()), covering.end());
    if (bound.empty()) {
      by_range.front() = std::move(covering);
    } else {
      bounds.push_back(bound);
      by_range.push_back(std::move(covering));
    }
  }
}

std::span<const LabelRule* const> RegionLabelBook::Index::RulesOf(const Region& region) const {
  const auto next = std::ranges::upper_bound(bounds, region.start_key);
  if (next != bounds.end() && EndsAfter(region.end_key, *next)) return {};
  return by_range[static_cast<size_t>(next - bounds.begin())];
}

std::map<std::string, std::string> RegionLabelBook::LabelsOf(const Region& region,
                                                             int64_t unix_ns) const {
  const auto ordinary = ordinary_.RulesOf(region);
  const auto keyspaces = keyspaces_.RulesOf(region);
  Precedence rules(ordinary.size() + keyspaces.size());
  std::ranges::merge(ordinary, keyspaces, rules.begin(), CountsBefore());
  std::map<std::string, std::string> labels;
  for (const LabelRule* rule : rules) {
    for (const RegionLabel& label : rule->labels) {
      if (!label.IsExpired(unix_ns)) labels.try_emplace(label.key, label.value);
    }
  }
  return labels;
}

std::optional<std::string_view> RegionLabelBook::LabelOf(const Region& region, std::string_view key,
                                                         int64_t unix_ns) const {
  Found found = FirstWith(ordinary_.RulesOf(region), key, unix_ns);
  const Found other = FirstWith(keyspaces_.RulesOf(region), key, unix_ns);
  if (found.rule == nullptr || (other.rule != nullptr && CountsBefore()(other.rule, found.rule))) {
    found = other;
  }
  if (found.label == nullptr) return {};
  return found.label->value;
}

std::vector<std::string> RegionLabelBook::BoundsInside(const Region& region,
                                                       size_t count_max) const {
  const std::vector<std::string>& bounds = ordinary_.bounds;
  std::vector<std::string> inside;
  auto bound = std::ranges::upper_bound(bounds, region.start_key);
  for (; bound != bounds.end() && EndsAfter(region.end_key, *bound); ++bound) {
    if (inside.size() == count_max) break;
    inside.push_back(*bound);
  }
  return inside;
}

std::optional<LabelRule> Unexpired(const LabelRule& rule, int64_t unix_ns) {
  LabelRule left = rule;
  std::erase_if(left.labels, [&](const RegionLabel& label) { return label.IsExpired(unix_ns); });
  if (left.labels.empty()) return {};
  return left;
}

}  // namespace scheduler

#include "scheduler/rules/region_label.h"

#include <algorithm>
#include <set>
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

}  // namespace

RegionLabelBook::RegionLabelBook(Rules rules) : rules_(std::move(rules)) {
  std::map<std::string, Turn> turns;
  for (const auto& [id, rule] : rules_) {
    for (const LabelRange& range : rule.ranges) {
      turns[range.keys.start].begins.push_back(&rule);
      if (!range.keys.end.empty()) turns[range.keys.end].ends.push_back(&rule);
    }
  }
  std::multiset<const LabelRule*, CountsBefore>
      open;  // More than once when a rule's own ranges overlap.
  for (auto& [bound, turn] : turns) {
    for (const LabelRule* rule : turn.ends) open.erase(open.find(rule));
    open.insert(turn.begins.begin(), turn.begins.end());
    Precedence covering(open.begin(), open.end());
    covering.erase(std::unique(covering.begin(), covering.end()), covering.end());
    if (bound.empty()) {
      by_range_.front() = std::move(covering);
    } else {
      bounds_.push_back(bound);
      by_range_.push_back(std::move(covering));
    }
  }
}

const RegionLabelBook::Precedence* RegionLabelBook::RulesOf(const Region& region) const {
  const auto next = std::ranges::upper_bound(bounds_, region.start_key);
  if (next != bounds_.end() && EndsAfter(region.end_key, *next)) return nullptr;
  return &by_range_[static_cast<size_t>(next - bounds_.begin())];
}

std::map<std::string, std::string> RegionLabelBook::LabelsOf(const Region& region,
                                                             int64_t unix_ns) const {
  std::map<std::string, std::string> labels;
  const Precedence* rules = RulesOf(region);
  if (rules == nullptr) return labels;
  for (const LabelRule* rule : *rules) {
    for (const RegionLabel& label : rule->labels) {
      if (!label.IsExpired(unix_ns)) labels.try_emplace(label.key, label.value);
    }
  }
  return labels;
}

std::optional<std::string_view> RegionLabelBook::LabelOf(const Region& region, std::string_view key,
                                                         int64_t unix_ns) const {
  const Precedence* rules = RulesOf(region);
  if (rules == nullptr) return {};
  for (const LabelRule* rule : *rules) {
    for (const RegionLabel& label : rule->labels) {
      if (label.key == key && !label.IsExpired(unix_ns)) return label.value;
    }
  }
  return {};
}

std::optional<LabelRule> Unexpired(const LabelRule& rule, int64_t unix_ns) {
  LabelRule left = rule;
  std::erase_if(left.labels, [&](const RegionLabel& label) { return label.IsExpired(unix_ns); });
  if (left.labels.empty()) return {};
  return left;
}

}  // namespace scheduler

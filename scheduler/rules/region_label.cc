#include "scheduler/rules/region_label.h"

#include <algorithm>
#include <string>
#include <utility>

namespace scheduler {
namespace {

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
  size_t bytes = 0;
  std::vector<const KeyRange*> ranges;
  for (const auto& [id, rule] : rules) {
    bytes += sizeof(LabelRule) + id.size();
    if (ranges.size() + rule.ranges.size() > bounds.ranges) {
      return "more than " + std::to_string(bounds.ranges) + " key ranges";
    }
    for (const RegionLabel& label : rule.labels) {
      bytes += sizeof(RegionLabel) + label.key.size() + label.value.size();
    }
    for (const LabelRange& range : rule.ranges) {
      if (std::max(range.keys.start.size(), range.keys.end.size()) > bounds.key_bytes) {
        return "a key of more than " + std::to_string(bounds.key_bytes) + " bytes";
      }
      bytes += sizeof(LabelRange) +
               3 * (range.keys.start.size() + range.keys.end.size());  // As text as well.
      ranges.push_back(&range.keys);
    }
  }
  if (bytes > bounds.bytes) return "more than " + std::to_string(bounds.bytes) + " bytes";
  if (CountPlaces(ranges, bounds.places) > bounds.places) {
    return "key ranges that overlap in too many places";
  }
  return {};
}

bool RegionLabelBook::IsScheduleDenied(const Region& region, int64_t unix_ns) const {
  constexpr std::string_view kDeny = "deny";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto value = LabelOf(region, "schedule", unix_ns);
  return value && std::ranges::equal(*value, kDeny, {}, lower);
}

bool RegionLabelBook::CountsBefore::operator()(const LabelRule* a, const LabelRule* b) const {
  return a->index != b->index ? a->index > b->index : a->id < b->id;
}

RegionLabelBook::RegionLabelBook(Rules rules) : rules_(std::move(rules)) {
  for (const auto& [id, rule] : rules_) {
    Index& index = IsKeyspaceRule(rule) ? keyspaces_ : ordinary_;
    for (const LabelRange& range : rule.ranges) index.Add(range.keys, &rule);
  }
  ordinary_.Build();
  keyspaces_.Build();
}

std::span<const LabelRule* const> RegionLabelBook::RulesOf(const Index& index,
                                                           const Region& region) {
  if (index.Cuts(region)) return {};
  return index.At(region.start_key);
}

std::map<std::string, std::string> RegionLabelBook::LabelsOf(const Region& region,
                                                             int64_t unix_ns) const {
  const auto ordinary = RulesOf(ordinary_, region);
  const auto keyspaces = RulesOf(keyspaces_, region);
  std::vector<const LabelRule*> rules(ordinary.size() + keyspaces.size());
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
  Found found = FirstWith(RulesOf(ordinary_, region), key, unix_ns);
  const Found other = FirstWith(RulesOf(keyspaces_, region), key, unix_ns);
  if (found.rule == nullptr || (other.rule != nullptr && CountsBefore()(other.rule, found.rule))) {
    found = other;
  }
  if (found.label == nullptr) return {};
  return found.label->value;
}

std::vector<std::string> RegionLabelBook::BoundsInside(const Region& region,
                                                       size_t count_max) const {
  return ordinary_.BoundsInside(region, count_max);
}

std::optional<LabelRule> Unexpired(const LabelRule& rule, int64_t unix_ns) {
  LabelRule left = rule;
  std::erase_if(left.labels, [&](const RegionLabel& label) { return label.IsExpired(unix_ns); });
  if (left.labels.empty()) return {};
  return left;
}

}  // namespace scheduler

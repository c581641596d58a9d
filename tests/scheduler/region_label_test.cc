#include "scheduler/rules/region_label.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace scheduler {
namespace {

RegionLabel Label(std::string key, std::string value, int64_t expires = RegionLabel::kNever) {
  return {std::move(key), std::move(value), "", "", expires};
}

LabelRule Rule(std::string id, int64_t index, std::vector<RegionLabel> labels,
               const std::vector<KeyRange>& ranges) {
  LabelRule rule{std::move(id), index, std::move(labels), {}};
  for (const KeyRange& range : ranges) rule.ranges.push_back({range, "", ""});
  return rule;
}

RegionLabelBook Book(const std::vector<LabelRule>& rules) {
  RegionLabelBook::Rules by_id;
  for (const LabelRule& rule : rules) by_id[rule.id] = rule;
  return RegionLabelBook(std::move(by_id));
}

Region At(std::string start, std::string end) {
  Region region;
  region.start_key = std::move(start);
  region.end_key = std::move(end);
  return region;
}

bool OfKeyspace(const LabelRule& rule) { return IsKeyspaceRule(rule); }

/// The labels as anybody would look for them first: all rules, from end to end.
std::map<std::string, std::string> DumbLabels(const std::vector<LabelRule>& rules,
                                              const Region& region, int64_t now) {
  const auto inside = [&](const std::string& bound) {
    return bound > region.start_key && (region.end_key.empty() || bound < region.end_key);
  };
  const auto crosses = [&](const LabelRule& rule) {
    return std::ranges::any_of(rule.ranges, [&](const LabelRange& range) {
      return inside(range.keys.start) || (!range.keys.end.empty() && inside(range.keys.end));
    });
  };
  std::map<std::string, std::pair<const LabelRule*, std::string>> best;
  for (const LabelRule& rule : rules) {
    const bool crossed = std::ranges::any_of(rules, [&](const LabelRule& other) {
      return OfKeyspace(other) == OfKeyspace(rule) && crosses(other);
    });
    if (crossed) continue;
    bool covers = false;
    for (const LabelRange& range : rule.ranges) {
      covers |= Contains(range.keys.start, range.keys.end, region.start_key);
    }
    if (!covers) continue;
    for (const RegionLabel& label : rule.labels) {
      if (now >= label.expires_unix_ns) continue;
      const auto [it, first] = best.try_emplace(label.key, &rule, label.value);
      const LabelRule& other = *it->second.first;
      const bool better =
          rule.index > other.index || (rule.index == other.index && rule.id < other.id);
      if (!first && better) it->second = {&rule, label.value};
    }
  }
  std::map<std::string, std::string> labels;
  for (const auto& [key, found] : best) labels[key] = found.second;
  return labels;
}

std::vector<std::string> DumbBounds(const std::vector<LabelRule>& rules, const KeyRange& keys) {
  std::set<std::string> bounds;
  for (const LabelRule& rule : rules) {
    if (OfKeyspace(rule)) continue;
    for (const LabelRange& range : rule.ranges) {
      for (const std::string& bound : {range.keys.start, range.keys.end}) {
        if (bound > keys.start && (keys.end.empty() || bound < keys.end)) bounds.insert(bound);
      }
    }
  }
  return {bounds.begin(), bounds.end()};
}

TEST_CASE("which labels a region has") {
  const RegionLabelBook book =
      Book({Rule("a", 0, {Label("x", "a"), Label("y", "a")}, {{"b", "f"}}),
            Rule("b", 2, {Label("x", "b")}, {{"d", "h"}}),
            Rule("c", 2, {Label("x", "c"), Label("z", "c", 100)}, {{"d", "h"}, {"p", ""}})});
  struct Case {
    Region region;
    int64_t now;
    std::map<std::string, std::string> labels;
  };
  using Labels = std::map<std::string, std::string>;
  const std::vector<Case> cases = {
      {At("", "b"), 0, Labels{}},
      {At("b", "c"), 0, {{"x", "a"}, {"y", "a"}}},
      {At("b", "d"), 0, {{"x", "a"}, {"y", "a"}}},
      {At("b", "e"), 0, Labels{}},                               // Crosses the start of b and c.
      {At("a", "c"), 0, Labels{}},                               // Crosses the start of a.
      {At("d", "f"), 99, {{"x", "b"}, {"y", "a"}, {"z", "c"}}},  // The higher index, the lower id.
      {At("d", "f"), 100, {{"x", "b"}, {"y", "a"}}},             // Expired at that very moment.
      {At("f", "h"), 100, {{"x", "b"}}},
      {At("h", "p"), 0, Labels{}},
      {At("h", ""), 0, Labels{}},
      {At("q", ""), 100, {{"x", "c"}}},  // No end.
      {At("", ""), 0, Labels{}},
  };
  for (const Case& c : cases) {
    INFO(c.region.start_key << " " << c.region.end_key << " at " << c.now);
    CHECK(book.LabelsOf(c.region, c.now) == c.labels);
    for (const char* key : {"x", "y", "z"}) {
      const auto found = book.LabelOf(c.region, key, c.now);
      const auto wanted = c.labels.find(key);
      CHECK(found.has_value() == (wanted != c.labels.end()));
      if (found && wanted != c.labels.end()) CHECK(*found == wanted->second);
    }
  }
}

TEST_CASE("where a region is to be split") {
  const RegionLabelBook book =
      Book({Rule("a", 0, {Label("x", "a")}, {{"b", "f"}, {"f", "h"}, {"p", ""}})});
  using Keys = std::vector<std::string>;
  CHECK(book.BoundsInside(At("", ""), 9) == Keys{"b", "f", "h", "p"});
  CHECK(book.BoundsInside(At("", ""), 2) == Keys{"b", "f"});
  CHECK(book.BoundsInside(At("b", "f"), 9).empty());
  CHECK(book.BoundsInside(At("e", "g"), 9) == Keys{"f"});
  CHECK(book.BoundsInside(At("q", ""), 9).empty());
}

TEST_CASE("bounds of keyspaces are no matter to other rules") {
  const RegionLabelBook book = Book({Rule("a", 1, {Label("x", "a")}, {{"b", "p"}}),
                                     Rule("keyspaces/1", 0, {Label("id", "1")}, {{"d", "h"}}),
                                     Rule("keyspaces/2", 0, {Label("id", "2")}, {{"h", "j"}})});
  using Labels = std::map<std::string, std::string>;
  CHECK(book.LabelsOf(At("b", "p"), 0) == Labels{{"x", "a"}});
  CHECK(book.LabelsOf(At("d", "e"), 0) == Labels{{"id", "1"}, {"x", "a"}});
  CHECK(book.LabelOf(At("h", "j"), "id", 0) == "2");
  CHECK(book.BoundsInside(At("", ""), 9) == std::vector<std::string>{"b", "p"});
}

TEST_CASE("what is no rule of a keyspace is a rule as any other") {
  const LabelRule rule =
      GENERATE(Rule("keyspaces/mine", 0, {Label("schedule", "deny")}, {{"d", "h"}}),
               Rule("keyspaces/1", 0, {Label("id", "2")}, {{"d", "h"}}),
               Rule("keyspaces/1", 7, {Label("id", "1")}, {{"d", "h"}}),
               Rule("keyspaces/", 0, {Label("id", "")}, {{"d", "h"}}));
  CHECK(Book({rule}).BoundsInside(At("", ""), 9) == std::vector<std::string>{"d", "h"});
}

TEST_CASE("rules are bounded in all together") {
  RegionLabelBook::Rules rules;
  for (const char* id : {"a", "b", "c"}) {
    rules[id] = Rule(id, 0, {Label("k", "v")}, {{"b", "d"}, {"f", "h"}});
  }
  // Six ranges; three rules in two places each; 3 * (1 + 2 + 4 * 3) bytes of text.
  const size_t bytes = 45 + 3 * (sizeof(LabelRule) + sizeof(RegionLabel) + 2 * sizeof(LabelRange));
  const LabelBookBounds exact{6, 6, bytes, 1};
  CHECK(TooLarge(rules, exact).empty());
  const auto refusal = [&](LabelBookBounds bounds) { return TooLarge(rules, bounds); };
  CHECK(refusal({5, 6, bytes, 1}) == "more than 5 key ranges");
  CHECK(refusal({6, 5, bytes, 1}) == "key ranges that overlap in too many places");
  CHECK(refusal({6, 6, bytes - 1, 1}).ends_with(" bytes"));
  CHECK(refusal({6, 6, bytes, 0}) == "a key of more than 0 bytes");
}

TEST_CASE("only schedule=deny denies") {
  const auto denied = [](const char* key, const char* value) {
    return Book({Rule("a", 0, {Label(key, value, 100)}, {{"", ""}})})
        .IsScheduleDenied(At("a", "b"), 50);
  };
  CHECK(denied("schedule", "deny"));
  CHECK(denied("schedule", "DenY"));
  CHECK_FALSE(denied("schedule", "allow"));
  CHECK_FALSE(denied("merge_option", "deny"));
  CHECK_FALSE(RegionLabelBook().IsScheduleDenied(At("", ""), 0));
}

TEST_CASE("what is left of a rule when labels expire") {
  const LabelRule rule = Rule("a", 1, {Label("x", "a", 100), Label("y", "a")}, {{"b", "f"}});
  CHECK(Unexpired(rule, 99) == rule);
  CHECK(Unexpired(rule, 100) == Rule("a", 1, {Label("y", "a")}, {{"b", "f"}}));
  CHECK_FALSE(Unexpired(Rule("a", 1, {Label("x", "a", 100)}, {{"b", "f"}}), 100));
}

TEST_CASE("a book moves with its index") {
  RegionLabelBook book = Book({Rule("a", 0, {Label("x", "1")}, {{"b", "f"}})});
  RegionLabelBook moved = std::move(book);
  RegionLabelBook assigned;
  assigned = std::move(moved);
  CHECK(assigned.LabelOf(At("b", "c"), "x", 0) == "1");
}

TEST_CASE("the book agrees with a list that is looked through", "[property]") {
  const auto key = [] { return std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 9))); };
  const auto range = [&]() -> KeyRange {
    std::string start = *rc::gen::inRange(0, 5) == 0 ? "" : key();
    std::string end = key();
    if (end <= start) end.clear();
    return {start, end};
  };
  CHECK(rc::check([&] {
    std::vector<LabelRule> rules;
    const int count = *rc::gen::inRange(0, 7);
    for (int i = 0; i < count; ++i) {
      std::vector<RegionLabel> labels;
      for (const char* name : {"x", "y"}) {
        const int64_t expires =
            *rc::gen::element<int64_t>(5, 10, RegionLabel::kNever, RegionLabel::kNever);
        if (*rc::gen::inRange(0, 3) != 0) labels.push_back(Label(name, std::to_string(i), expires));
      }
      std::vector<KeyRange> ranges;
      for (int r = *rc::gen::inRange(1, 4); r > 0; --r) ranges.push_back(range());
      const std::string prefix = *rc::gen::element<std::string>("", "", "keyspaces/");
      rules.push_back(
          Rule(prefix + static_cast<char>('r' - i), *rc::gen::inRange(-1, 2), labels, ranges));
    }
    const RegionLabelBook book = Book(rules);
    for (int i = 0; i < 20; ++i) {
      const KeyRange keys = range();
      const int64_t now = *rc::gen::inRange(4, 12);
      const auto wanted = DumbLabels(rules, At(keys.start, keys.end), now);
      RC_ASSERT(book.LabelsOf(At(keys.start, keys.end), now) == wanted);
      RC_ASSERT(book.BoundsInside(At(keys.start, keys.end), 100) == DumbBounds(rules, keys));
      for (const char* name : {"x", "y"}) {
        const auto found = book.LabelOf(At(keys.start, keys.end), name, now);
        RC_ASSERT(found.has_value() == wanted.contains(name));
        if (found) RC_ASSERT(*found == wanted.at(name));
      }
    }
  }));
}

}  // namespace
}  // namespace scheduler

#include "scheduler/rules/rule_book.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace scheduler {
namespace {

Rule MakeRule(const std::string& group, const std::string& id, const KeyRange& range = {},
              RuleRole role = RuleRole::kVoter) {
  Rule rule;
  rule.group_id = group;
  rule.id = id;
  rule.range = range;
  rule.role = role;
  rule.count = 1;
  return rule;
}

RuleSet SetOf(const std::vector<Rule>& rules, const std::vector<RuleGroup>& groups = {}) {
  RuleSet set;
  for (const Rule& rule : rules) set.rules[{rule.group_id, rule.id}] = rule;
  for (const RuleGroup& group : groups) set.groups[group.id] = group;
  return set;
}

Region MakeRegion(const std::string& start, const std::string& end) {
  Region region;
  region.start_key = start;
  region.end_key = end;
  return region;
}

std::string Names(const std::vector<const Rule*>& rules) {
  std::string names;
  for (const Rule* rule : rules)
    names += (names.empty() ? "" : " ") + rule->group_id + "/" + rule->id;
  return names;
}

std::string Names(const RuleBook& book) {
  std::vector<const Rule*> rules;
  for (const Rule& rule : book.rules()) rules.push_back(&rule);
  return Names(rules);
}

std::string Refusal(const std::vector<Rule>& rules, const std::vector<RuleGroup>& groups = {},
                    const RuleSetBounds& bounds = {}) {
  const auto book = RuleBook::Make(SetOf(rules, groups), bounds);
  return book ? "" : book.error().context;
}

TEST_CASE("rules apply in the order of group index, group, index and id", "[rules]") {
  Rule early = MakeRule("b", "z");
  early.index = -1;
  const auto book = RuleBook::Make(
      SetOf({MakeRule("b", "y"), MakeRule("b", "x"), early, MakeRule("a", "w"), MakeRule("c", "v")},
            {{"a", 1, false}}));
  REQUIRE(book);
  CHECK(Names(*book) == "b/z b/x b/y c/v a/w");
  CHECK(Names(book->RulesAt("anywhere")) == "b/z b/x b/y c/v a/w");
}

TEST_CASE("rules and groups override what comes before them", "[rules]") {
  Rule over = MakeRule("b", "m");
  over.overrides = true;
  over.range = {"d", "h"};
  const std::vector<Rule> rules = {MakeRule("a", "1"), MakeRule("b", "1"), over, MakeRule("b", "n"),
                                   MakeRule("c", "1", {"f", ""})};
  const auto book = RuleBook::Make(SetOf(rules));
  REQUIRE(book);
  CHECK(Names(book->RulesAt("a")) == "a/1 b/1 b/n");
  CHECK(Names(book->RulesAt("d")) == "a/1 b/m b/n");
  CHECK(Names(book->RulesAt("f")) == "a/1 b/m b/n c/1");
  CHECK(Names(book->RulesAt("h")) == "a/1 b/1 b/n c/1");
  const auto grouped = RuleBook::Make(SetOf(rules, {{"c", 0, true}}));
  REQUIRE(grouped);
  CHECK(Names(grouped->RulesAt("e")) == "a/1 b/m b/n");
  CHECK(Names(grouped->RulesAt("f")) == "c/1");
}

TEST_CASE("a region that crosses a bound has no rules", "[rules]") {
  const auto book = RuleBook::Make(SetOf({MakeRule("a", "1"), MakeRule("a", "2", {"d", "h"})}));
  REQUIRE(book);
  CHECK(Names(book->RulesFor(MakeRegion("", "d"))) == "a/1");
  CHECK(Names(book->RulesFor(MakeRegion("d", "h"))) == "a/1 a/2");
  CHECK(Names(book->RulesFor(MakeRegion("e", "f"))) == "a/1 a/2");
  CHECK(Names(book->RulesFor(MakeRegion("h", ""))) == "a/1");
  CHECK(book->RulesFor(MakeRegion("", "")).empty());
  CHECK(book->RulesFor(MakeRegion("c", "e")).empty());
  CHECK(book->BoundsInside(MakeRegion("", ""), 9) == std::vector<std::string>{"d", "h"});
  CHECK(book->BoundsInside(MakeRegion("", ""), 1) == std::vector<std::string>{"d"});
  CHECK(book->BoundsInside(MakeRegion("d", "h"), 9).empty());
}

TEST_CASE("rules that do not go together are named", "[rules]") {
  const std::string failed = "[PD:placement:ErrBuildRuleList]build rule list failed, ";
  const auto leader = [](const char* id, const KeyRange& range) {
    return MakeRule("l", id, range, RuleRole::kLeader);
  };
  CHECK(Refusal({}) == failed + "no rule left");
  CHECK(Refusal({MakeRule("a", "1", {"d", ""})}) ==
        failed + "needs at least one leader or voter for range {, 64}");
  CHECK(Refusal({MakeRule("a", "1", {"", "d"})}) ==
        failed + "needs at least one leader or voter for range {64, }");
  CHECK(Refusal({MakeRule("a", "1", {}, RuleRole::kLearner), MakeRule("a", "2", {"", "d"})}) ==
        failed + "needs at least one leader or voter for range {64, }: a/1");
  // The third asks for a leader as well; two of them are enough to say why.
  CHECK(Refusal({MakeRule("a", "1"), leader("x", {"b", "h"}), leader("y", {"d", ""}),
                 leader("z", {"e", ""})}) ==
        failed + "multiple leader replicas for range {64, 65}: l/x, l/y");
  Rule two = leader("x", {});
  two.count = 2;
  CHECK(Refusal({two, leader("y", {})}) == failed + "multiple leader replicas for range {, }: l/x");
  CHECK(Refusal({leader("x", {"", "d"}), leader("y", {"d", ""})}).empty());
  // What is overridden asks for nothing.
  Rule over = leader("y", {});
  over.overrides = true;
  CHECK(Refusal({leader("x", {}), over}).empty());
  Rule witness = MakeRule("a", "1");
  witness.witness = true;
  CHECK_FALSE(Refusal({witness}).empty());
}

TEST_CASE("a set of rules is bounded", "[rules]") {
  const auto too_large = [](const std::vector<Rule>& rules, const RuleSetBounds& bounds) {
    const auto book = RuleBook::Make(SetOf(rules), bounds);
    return !book && book.error().code == ErrorCode::kLimited;
  };
  const std::vector<Rule> nested = {MakeRule("a", "1"), MakeRule("a", "2", {"b", "y"}),
                                    MakeRule("a", "3", {"c", "x"})};
  CHECK_FALSE(too_large(nested, {}));
  CHECK(too_large(nested, {.rules = 2}));
  CHECK(too_large(nested, {.places = 8}));  // 1 + 2 + 3 + 2 + 1.
  CHECK_FALSE(too_large(nested, {.places = 9}));
  CHECK(too_large({MakeRule("a", "1"), MakeRule("a", "2", {"long", ""})}, {.key_bytes = 3}));
  CHECK(too_large({MakeRule("a", std::string(100, 'x'))}, {.bytes = 100}));
  CHECK(too_large({MakeRule("a", "1")}, {.count = 0}));
  CHECK(too_large(nested, {.per_range = 2}));
  CHECK_FALSE(too_large(nested, {.per_range = 3}));
  // Those that are overridden do not count.
  Rule last = MakeRule("a", "4", {"c", "x"});
  last.overrides = true;
  CHECK_FALSE(too_large({nested[0], nested[1], nested[2], last}, {.per_range = 2}));
  Rule wordy = MakeRule("a", "1");
  wordy.constraints.push_back({"zone", ConstraintOp::kIn, std::vector<std::string>(1000)});
  CHECK(too_large({wordy}, {.bytes = 10'000}));
}

TEST_CASE("where other rules are in force", "[rules]") {
  const auto book = [](const std::vector<Rule>& rules) {
    auto made = RuleBook::Make(SetOf(rules));
    REQUIRE(made);
    return *std::move(made);
  };
  const Rule all = MakeRule("a", "1");
  const RuleBook before = book({all, MakeRule("a", "2", {"d", "h"})});
  using Ranges = std::vector<KeyRange>;
  CHECK(before.ChangedSince(before).empty());
  Rule more = all;
  more.count = 5;
  CHECK(book({more, MakeRule("a", "2", {"d", "h"})}).ChangedSince(before) == Ranges{{"", ""}});
  CHECK(book({all, MakeRule("a", "2", {"d", "h"}), MakeRule("a", "3", {"x", ""})})
            .ChangedSince(before) == Ranges{{"h", ""}});
  CHECK(book({all}).ChangedSince(before) == Ranges{{"", ""}});  // No cuts any more.
  Rule other = MakeRule("a", "2", {"d", "h"});
  other.location_labels = {"zone"};
  CHECK(book({all, other}).ChangedSince(before) == Ranges{{"d", "h"}});
  CHECK(before.ChangedSince(RuleBook()) == Ranges{{"", ""}});
}

TEST_CASE("groups that were set up, and those of rules", "[rules]") {
  const RuleSet set =
      SetOf({MakeRule("b", "1"), MakeRule("c", "1")}, {{"c", -1, false}, {"alone", 0, true}});
  std::string ids;
  for (const RuleGroup& group : set.AllGroups()) ids += group.id + " ";
  CHECK(ids == "c alone b ");
  CHECK(set.GroupOf("alone").overrides);
  CHECK(set.GroupOf("nobody") == RuleGroup{"nobody", 0, false});
}

/// The dumb twin: walks over all rules.
std::vector<const Rule*> RulesByWalking(const RuleBook& book, const RuleSet& set,
                                        const Region& region) {
  std::vector<const Rule*> covering;
  for (const Rule& rule : book.rules()) {
    for (const std::string& bound : {rule.range.start, rule.range.end}) {
      const bool inside =
          bound > region.start_key && (region.end_key.empty() || bound < region.end_key);
      if (inside) return {};
    }
    if (Contains(rule.range.start, rule.range.end, region.start_key)) covering.push_back(&rule);
  }
  std::vector<const Rule*> applied;
  for (size_t i = 0; i < covering.size(); ++i) {
    const Rule& rule = *covering[i];
    const bool overridden = std::any_of(
        covering.begin() + static_cast<ptrdiff_t>(i) + 1, covering.end(), [&](const Rule* later) {
          return later->group_id == rule.group_id ? later->overrides
                                                  : set.GroupOf(later->group_id).overrides;
        });
    if (!overridden) applied.push_back(&rule);
  }
  return applied;
}

TEST_CASE("the rules of a region are those that a walk over all finds", "[rules][property]") {
  const auto key = [] {
    const int number = *rc::gen::inRange(0, 8);
    return number == 0 ? std::string() : std::string(1, static_cast<char>('a' + number));
  };
  rc::check([&] {
    RuleSet set;
    const int count = *rc::gen::inRange(1, 9);
    for (int i = 0; i < count; ++i) {
      Rule rule = MakeRule(std::string(1, static_cast<char>('a' + *rc::gen::inRange(0, 3))),
                           std::to_string(i));
      rule.range = {key(), key()};
      if (!rule.range.end.empty() && rule.range.end <= rule.range.start) rule.range.end.clear();
      rule.index = *rc::gen::inRange(-1, 2);
      rule.overrides = *rc::gen::inRange(0, 4) == 0;
      set.rules[{rule.group_id, rule.id}] = rule;
    }
    set.rules[{"", "all"}] = MakeRule("", "all");  // The first of all, so that each key has one.
    set.groups[""] = {"", -9, false};
    for (const char* id : {"a", "b"}) {
      set.groups[id] = {id, *rc::gen::inRange(-1, 2), *rc::gen::inRange(0, 4) == 0};
    }
    const auto book = RuleBook::Make(set);
    RC_ASSERT(book.has_value());
    for (int i = 0; i < 10; ++i) {
      Region region = MakeRegion(key(), key());
      if (!region.end_key.empty() && region.end_key <= region.start_key) region.end_key.clear();
      RC_ASSERT(book->RulesFor(region) == RulesByWalking(*book, set, region));
      RC_ASSERT(book->RulesFor(region).empty() == !book->BoundsInside(region, 1).empty());
    }
  });
}

}  // namespace
}  // namespace scheduler

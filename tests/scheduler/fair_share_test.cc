#include "scheduler/rules/fair_share.h"

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace scheduler {
namespace {

/// Stores 1, 2, ... of these labels, given as "zone/host".
std::vector<Store> Located(const std::vector<std::string>& places) {
  std::vector<Store> stores;
  for (const std::string& place : places) {
    Store store;
    store.id = {stores.size() + 1};
    const size_t slash = place.find('/');
    const std::string zone = place.substr(0, slash);
    const std::string host = slash < place.size() ? place.substr(slash + 1) : std::string();
    store.labels = MergeLabels({}, {{"zone", zone}, {"host", host}});
    stores.push_back(std::move(store));
  }
  return stores;
}

const std::vector<std::string> kNone;
const std::vector<std::string> kZone = {"zone"};
const std::vector<std::string> kBoth = {"zone", "host"};

TEST_CASE("a location gets its share of the copies", "[fair_share]") {
  struct Case {
    const char* name;
    std::vector<std::string> places;
    std::vector<std::string> labels;
    uint64_t count;
    std::vector<double> shares;  // By store.
  };
  const std::vector<Case> cases = {
      {"no labels: all alike", {"a", "b", "b", "c"}, kNone, 3, {.25, .25, .25, .25}},
      {"a copy for each zone", {"a", "b", "b", "c"}, kZone, 3, {1 / 3., 1 / 6., 1 / 6., 1 / 3.}},
      {"the hosts below do not matter then",
       {"a/1", "b/1", "b/2", "c/1"},
       kBoth,
       3,
       {1 / 3., 1 / 6., 1 / 6., 1 / 3.}},
      {"more zones than copies: zones are no matter",
       {"a", "b", "b", "c"},
       kZone,
       2,
       {.25, .25, .25, .25}},
      {"fewer zones than copies: each zone takes as much",
       {"a", "b", "b"},
       kZone,
       3,
       {.5, .25, .25}},
      {"the zone with more hosts than copies: zones alone",
       {"a/1", "a/2", "b/1", "b/2"},
       kBoth,
       3,
       {.25, .25, .25, .25}},
      {"as many hosts as copies",
       {"a/1", "a/2", "b/1", "b/1"},
       kBoth,
       3,
       {1 / 3., 1 / 3., 1 / 6., 1 / 6.}},
      {"fewer hosts than copies: down the tree",
       {"a/1", "a/2", "b/1", "b/1"},
       kBoth,
       5,
       {.25, .25, .25, .25}},
      {"a host of the same name elsewhere is another", {"a/1", "b/1"}, kBoth, 2, {.5, .5}},
      {"a missing label is a place, too", {"a", "", ""}, kZone, 2, {.5, .25, .25}},
      {"alone", {"a"}, kZone, 3, {1}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const std::vector<Store> stores = Located(c.places);
    std::vector<const Store*> all;
    for (const Store& store : stores) all.push_back(&store);
    for (size_t i = 0; i < stores.size(); ++i) {
      INFO("store " << i + 1);
      CHECK(LocationShare(stores[i], all, c.labels, c.count) == Approx(c.shares[i]));
    }
  }
}

Rule MakeRule(const std::string& id, const KeyRange& range, uint64_t count) {
  Rule rule;
  rule.id = id;
  rule.range = range;
  rule.count = count;
  return rule;
}

TEST_CASE("what rules keep is added up by what they ask for", "[fair_share]") {
  const std::map<std::string, uint64_t> sizes = {{"", 10}, {"c", 20}, {"m", 40}, {"t", 80}};
  const auto size_of = [&](const KeyRange& range) { return sizes.at(range.start); };
  Rule special = MakeRule("3", {"m", ""}, 1);
  special.constraints = {{"disk", ConstraintOp::kIn, {"ssd"}}};
  const RuleBook rules =
      RuleBook({MakeRule("1", {"c", "m"}, 3), MakeRule("2", {"t", ""}, 3), special});
  const std::vector<RuleLoad> loads = LoadsOf(rules, size_of);
  REQUIRE(loads.size() == 2);
  CHECK(loads[0].constraints.empty());
  CHECK(loads[0].count == 3);
  CHECK(loads[0].size_mib == 20 + 80);
  CHECK(loads[1].constraints == special.constraints);
  CHECK(loads[1].count == 1);
  CHECK(loads[1].size_mib == 40 + 80);
  CHECK(LoadsOf(RuleBook(std::vector<Rule>()), size_of).empty());
}

TEST_CASE("a fair share is what the rules put on the stores that meet them", "[fair_share]") {
  std::vector<Store> stores = Located({"a", "b", "c", "c", "d"});
  const RuleLoad everywhere{{}, {}, 3, 1000};
  const auto share = [&](size_t store, const std::vector<RuleLoad>& loads) {
    return FairShareMib(stores[store], stores, loads);
  };
  CHECK(share(0, {everywhere}) == Approx(600));
  CHECK(share(0, {}) == 0);

  SECTION("rules add up, and only those that the store meets") {
    const RuleLoad in_c{{{"zone", ConstraintOp::kIn, {"c"}}}, {}, 1, 500};
    CHECK(share(0, {everywhere, in_c}) == Approx(600));
    CHECK(share(2, {everywhere, in_c}) == Approx(600 + 250));
  }
  SECTION("a store that leaves has no share, and leaves more to others") {
    stores[4].state = StoreState::kOffline;
    CHECK(share(4, {everywhere}) == 0);
    CHECK(share(0, {everywhere}) == Approx(750));
  }
  SECTION("never more than one copy") {
    const RuleLoad many{{}, {}, 7, 1000};
    CHECK(share(0, {many}) == Approx(1000));
    const RuleLoad none{{}, {}, 0, 1000};
    CHECK(share(0, {none}) == 0);
  }
  SECTION("locations count") {
    const RuleLoad by_zone{{}, {"zone"}, 4, 1000};
    CHECK(share(0, {by_zone}) == Approx(1000));
    CHECK(share(2, {by_zone}) == Approx(500));
  }
  SECTION("TiFlash takes part where a rule names it") {
    stores[4].labels.push_back({"engine", "tiflash"});
    CHECK(share(4, {everywhere}) == 0);
    CHECK(share(0, {everywhere}) == Approx(750));
    const RuleLoad learners{{{"engine", ConstraintOp::kIn, {"tiflash"}}}, {}, 1, 300};
    CHECK(share(4, {everywhere, learners}) == Approx(300));
  }
}

}  // namespace
}  // namespace scheduler

#include "scheduler/rules/fit.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include <catch2/catch.hpp>

#include "scheduler/checkers/rule_checker.h"
#include "scheduler/rules/isolation.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

using Rank = std::tuple<size_t, int64_t, double>;  // Peers, minus those of another role, isolation.

/// The dumb twin: all subsets.
Rank BestOfAllSubsets(const World& world, const Rule& rule, const Region& region) {
  Rank best{0, 0, 0};
  const size_t count = region.peers.size();
  for (size_t subset = 0; subset < (1U << count); ++subset) {
    std::vector<Peer> peers;
    for (size_t i = 0; i < count; ++i) {
      if ((subset >> i & 1) != 0) peers.push_back(region.peers[i]);
    }
    if (peers.size() > rule.count) continue;
    const int64_t other_role = std::ranges::count_if(
        peers, [&](const Peer& peer) { return !MatchesRole(peer, region.leader, rule.role); });
    const std::vector<const Store*> stores = StoresOf(world, peers);
    best = std::max(best,
                    Rank(peers.size(), -other_role, IsolationScore(rule.location_labels, stores)));
  }
  return best;
}

Region RandomRegion(Rng& rng, uint64_t stores) {
  Region region;
  region.id = {7};
  for (uint64_t store = 1; store <= stores; ++store) {
    if (rng.Below(3) == 0) continue;
    const PeerRole role = rng.Below(4) == 0 ? PeerRole::kLearner : PeerRole::kVoter;
    region.peers.push_back({{700 + store}, {store}, role, false});
    if (rng.Below(5) == 0) region.pending_peers.push_back(region.peers.back());
  }
  for (const Peer& peer : region.peers) {
    if (IsVoter(peer)) region.leader = peer;
  }
  return region;
}

TEST_CASE("the fit is as good as trying all subsets", "[property]") {
  Rng rng(20261123);
  for (int i = 0; i < 20000; ++i) {
    World world;
    const uint64_t stores = 3 + rng.Below(5);
    for (uint64_t id = 1; id <= stores; ++id) {
      Store& store = world.AddStore(id);
      const uint64_t zone = rng.Below(3);
      const uint64_t rack = rng.Below(3);
      const auto text = [](const char* name, uint64_t number) {
        return name + std::to_string(number);
      };
      store.labels = {{"zone", text("z", zone)}, {"rack", text("z", zone) + text("r", rack)}};
    }
    const Rule rule = DefaultRule(1 + rng.Below(5), {"zone", "rack"}, "");
    const Region region = RandomRegion(rng, stores);
    const RegionFit fit = FitRegion(world, {&rule}, region);
    const RuleFit& found = fit.rule_fits.front();
    const Rank rank(found.peers.size(), -static_cast<int64_t>(found.different_role.size()),
                    found.isolation_score);
    CAPTURE(i);
    REQUIRE(rank == BestOfAllSubsets(world, rule, region));
    REQUIRE(found.peers.size() + fit.orphans.size() == region.peers.size());
  }
}

TEST_CASE("a fit counts each peer once and prefers healthy ones", "[fit]") {
  World world;
  for (uint64_t id = 1; id <= 5; ++id) world.AddStore(id);
  Region region;
  for (uint64_t id = 1; id <= 4; ++id)
    region.peers.push_back({{10 + id}, {id}, PeerRole::kVoter, false});
  region.leader = region.peers[3];
  region.down_peers.push_back({region.peers[0], 60});
  region.pending_peers.push_back(region.peers[1]);
  const Rule rule = DefaultRule(2, {}, "");
  const RegionFit fit = FitRegion(world, {&rule}, region);
  CHECK(fit.rule_fits[0].peers == std::vector<Peer>{region.peers[2], region.peers[3]});
  CHECK(fit.orphans == std::vector<Peer>{region.peers[1], region.peers[0]});
  CHECK_FALSE(fit.IsSatisfied());
  CHECK(fit.FitOf({11}) == nullptr);
}

TEST_CASE("a peer on an unknown store serves no rule", "[fit]") {
  World world;
  world.AddStore(1);
  Region region;
  region.peers = {{{11}, {1}, PeerRole::kVoter, false}, {{12}, {2}, PeerRole::kVoter, false}};
  const Rule rule = DefaultRule(2, {}, "");
  const RegionFit fit = FitRegion(world, {&rule}, region);
  CHECK(fit.rule_fits[0].peers.size() == 1);
  CHECK(fit.orphans.size() == 1);
}

/// One rule in a table: how many peers, and what they must be.
Rule MakeRule(RuleRole role, uint64_t count, std::vector<LabelConstraint> constraints = {},
              std::vector<std::string> location_labels = {}) {
  Rule rule = DefaultRule(count, std::move(location_labels), "");
  rule.role = role;
  rule.constraints = std::move(constraints);
  return rule;
}

/// The stores whose peers serve each rule, then those of the orphans: "1,2|3|4".
std::string Served(const World& world, const std::vector<Rule>& rules, const Region& region) {
  std::vector<const Rule*> pointers;
  pointers.reserve(rules.size());
  for (const Rule& rule : rules) pointers.push_back(&rule);
  const RegionFit fit = FitRegion(world, pointers, region);
  std::string text;
  const auto add = [&](const std::vector<Peer>& peers) {
    for (size_t i = 0; i < peers.size(); ++i) {
      text += (i == 0 ? "" : ",") + std::to_string(peers[i].store.value);
    }
  };
  for (const RuleFit& rule_fit : fit.rule_fits) {
    add(rule_fit.peers);
    text += "|";
  }
  add(fit.orphans);
  return text;
}

constexpr RuleRole kVoter = RuleRole::kVoter;
constexpr RuleRole kFollower = RuleRole::kFollower;

/// Stores 1 to 5 in zones a a b b c, racks a1 a2 b1 b1 c1; stores 1, 3 and 5 have fast disks.
struct Table {
  World world;
  Region region;

  explicit Table(uint64_t peers) {
    const char* zones[] = {"a", "a", "b", "b", "c"};
    const char* racks[] = {"a1", "a2", "b1", "b1", "c1"};
    for (uint64_t id = 1; id <= 5; ++id) {
      world.AddStore(id).labels = {
          {"zone", zones[id - 1]}, {"rack", racks[id - 1]}, {"disk", id % 2 == 1 ? "ssd" : "hdd"}};
    }
    for (uint64_t id = 1; id <= peers; ++id) {
      region.peers.push_back({{10 + id}, {id}, PeerRole::kVoter, false});
    }
    region.leader = region.peers.front();
  }
};

TEST_CASE("a rule leaves to later rules what it can do without", "[fit]") {
  const LabelConstraint fast{"disk", ConstraintOp::kIn, {"ssd"}};
  const LabelConstraint zone_a{"zone", ConstraintOp::kIn, {"a"}};
  const LabelConstraint zone_b{"zone", ConstraintOp::kIn, {"b"}};
  Table table(3);
  SECTION("more peers for the later rule") {
    // By itself the first rule would take the leader on store 1, the only one for the second.
    CHECK(Served(table.world, {MakeRule(kVoter, 2), MakeRule(kVoter, 1, {zone_a, fast})},
                 table.region) == "2,3|1|");
  }
  SECTION("over a chain of rules") {
    // Store 1 must go to the last rule, so store 2 to the middle one, so store 3 to the first.
    CHECK(Served(table.world,
                 {MakeRule(kVoter, 1), MakeRule(kVoter, 1, {zone_a}),
                  MakeRule(kVoter, 1, {zone_a, fast})},
                 table.region) == "3|2|1|");
  }
  SECTION("the right role for the later rule") {
    CHECK(Served(table.world, {MakeRule(kFollower, 1), MakeRule(kFollower, 1, {zone_a})},
                 table.region) == "3|2|1");
  }
  SECTION("but never at its own cost") {
    table.region.peers[1].role = PeerRole::kLearner;
    table.region.peers[2].role = PeerRole::kLearner;
    CHECK(Served(table.world, {MakeRule(kVoter, 1), MakeRule(kVoter, 1, {zone_a, fast})},
                 table.region) == "1||2,3");
  }
}

TEST_CASE("isolation of later rules counts among equal choices of earlier ones", "[fit]") {
  Table table(4);
  const std::vector<std::string> labels{"zone", "rack"};
  // By itself the first rule would use up zone a.
  CHECK(Served(table.world, {MakeRule(kVoter, 2), MakeRule(kVoter, 2, {}, labels)}, table.region) ==
        "1,3|2,4|");
  // Two zones are the best there is; the two peers of zone b share a rack, those of zone a do not.
  CHECK(Served(table.world, {MakeRule(kVoter, 1), MakeRule(kVoter, 3, {}, labels)}, table.region) ==
        "3|1,2,4|");
}

TEST_CASE("among complete ties no rule keeps a healthy peer from serving", "[fit]") {
  const LabelConstraint fast{"disk", ConstraintOp::kIn, {"ssd"}};
  Table table(4);
  table.region.peers.erase(table.region.peers.begin() + 1);
  table.region.down_peers.push_back({table.region.peers[1], 60});
  // With the leader in the first rule, the peer on store 3, which is down, would be left for the second.
  CHECK(Served(table.world, {MakeRule(kVoter, 1), MakeRule(kVoter, 1, {fast})}, table.region) ==
        "4|1|3");
}

TEST_CASE("being a witness is part of a peer's role", "[fit]") {
  Table table(3);
  table.region.peers[1].witness = true;
  Rule witness = MakeRule(kVoter, 1);
  witness.witness = true;
  const Rule data = MakeRule(kVoter, 2);
  SECTION("a witness goes to the rule that wants one") {
    CHECK(Served(table.world, {data, witness}, table.region) == "1,3|2|");
  }
  SECTION("one that no rule wants has a different role") {
    const Rule all = MakeRule(kVoter, 3);
    const RegionFit fit = FitRegion(table.world, {&all}, table.region);
    CHECK(fit.rule_fits[0].different_role == std::vector<Peer>{table.region.peers[1]});
    CHECK_FALSE(fit.IsSatisfied());
  }
  SECTION("a rule for witnesses never takes the leader, rather a peer to be made a witness") {
    table.region.peers[1].witness = false;
    const RegionFit fit = FitRegion(table.world, {&witness}, table.region);
    CHECK(fit.rule_fits[0].peers == std::vector<Peer>{table.region.peers[1]});
    CHECK(fit.rule_fits[0].different_role == fit.rule_fits[0].peers);
  }
  SECTION("and among equals one on the store with fewer witnesses") {
    table.region.peers[1].witness = false;
    StoreCounts counts;
    counts.witnesses = 1;
    table.world.SetCounts(2, counts);
    table.world.Refresh();
    CHECK(Served(table.world, {witness}, table.region) == "3|1,2");
  }
}

TEST_CASE("a learner that is a witness becomes none", "[fit]") {
  Table table(2);
  table.region.peers[1].role = PeerRole::kLearner;
  table.region.peers[1].witness = true;
  table.world.rules = RuleBook({MakeRule(kVoter, 1), MakeRule(RuleRole::kLearner, 1)});
  const Decision decision = CheckRules(table.world.Context(), table.region);
  REQUIRE(decision.proposals.size() == 1);
  CHECK(decision.proposals.front().desc == "fix-non-witness-peer");
}

TEST_CASE("stores with an exclusive label need a rule that names it", "[rules]") {
  Store store;
  store.labels = {{"engine", "tiflash"}};
  CHECK_FALSE(MatchesConstraints(store, {}));
  CHECK(MatchesConstraints(store, {{"engine", ConstraintOp::kIn, {"tiflash"}}}));
  store.labels = {{"$dedicated", "x"}, {"zone", "z1"}};
  CHECK_FALSE(MatchesConstraints(store, {{"zone", ConstraintOp::kIn, {"z1"}}}));
  CHECK(MatchesConstraints(store, {{"$dedicated", ConstraintOp::kExists, {}}}));
  store.labels = {{"zone", "z1"}};
  CHECK(MatchesConstraints(store, {{"ZONE", ConstraintOp::kNotIn, {"z2"}}}));
  CHECK_FALSE(MatchesConstraints(store, {{"zone", ConstraintOp::kNotExists, {}}}));
}

TEST_CASE("a region across the border of a rule has no rules", "[rules]") {
  Rule rule = DefaultRule(3, {}, "");
  rule.range = {"b", "d"};
  const RuleBook book({rule});
  Region region;
  region.start_key = "b";
  region.end_key = "c";
  CHECK(book.RulesFor(region).size() == 1);
  region.end_key = "e";
  CHECK(book.RulesFor(region).empty());
  region.end_key = "";
  CHECK(book.RulesFor(region).empty());
}

}  // namespace
}  // namespace scheduler::test

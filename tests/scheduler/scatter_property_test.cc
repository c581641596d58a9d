// Over many random clusters: scattering a region never puts two peers on a store, never leaves a rule worse off, loses
// no peer, and gives the lead to nobody who cannot lead, in any of its steps.
#include <algorithm>
#include <array>
#include <map>

#include <catch2/catch.hpp>
#include <fmt/core.h>

#include "scheduler/filters/store_filter.h"
#include "scheduler/scatter/scatter.h"
#include "scheduler/scatter/split_scatter.h"
#include "tests/scheduler/cases.h"
#include "tests/scheduler/region_checks.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

const int kCases = static_cast<int>(CasesWanted());

/// Cases in which a region moved, and what was special about them.
struct Tally {
  int moved = 0;
  int in_place = 0;
  int refused = 0;
  int learners = 0;
  int witnesses = 0;
  int down_stores = 0;
  int constraints = 0;
  int leaders_only = 0;
};

void MakeStores(World& world, Rng& rng) {
  const uint64_t ordinary = 4 + rng.Below(6);
  const uint64_t tiflash = rng.Below(4);
  for (uint64_t id = 1; id <= ordinary + tiflash; ++id) {
    Store& store = world.AddStore(id);
    store.labels = {{"zone", "z" + std::to_string(rng.Below(4))},
                    {"host", "h" + std::to_string(rng.Below(12))}};
    if (id > ordinary) store.labels.push_back({"engine", "tiflash"});
    constexpr std::array kTroubles = {
        Trouble::kLeaves, Trouble::kDown,           Trouble::kDown,  Trouble::kDisconnected,
        Trouble::kBusy,   Trouble::kTakesNoLeaders, Trouble::kBuried};
    const uint64_t drawn = rng.Below(20);  // Two in three have none.
    Afflict(world, store, drawn < kTroubles.size() ? kTroubles[drawn] : Trouble::kNone);
  }
}

Rule MakeRule(const char* id, RuleRole role, uint64_t count, Rng& rng) {
  Rule rule = DefaultRule(count, {}, "");
  rule.id = id;
  rule.role = role;
  if (rng.Below(2) == 0) rule.location_labels = {"zone", "host"};
  if (rng.Below(4) == 0) rule.isolation_level = rng.Below(2) == 0 ? "zone" : "host";
  return rule;
}

Rule In(Rule rule, const char* key, std::vector<std::string> values) {
  rule.constraints.push_back({key, ConstraintOp::kIn, std::move(values)});
  return rule;
}

std::vector<Rule> MakeRules(Rng& rng) {
  std::vector<Rule> rules;
  switch (rng.Below(7)) {
    case 0:
      rules = {In(MakeRule("1", RuleRole::kLeader, 1, rng), "zone", {"z0", "z1"}),
               MakeRule("2", RuleRole::kFollower, 2, rng)};
      break;
    case 1:
      rules = {In(MakeRule("1", RuleRole::kLeader, 1, rng), "zone", {"z0", "z1"}),
               MakeRule("2", RuleRole::kVoter, 2, rng)};
      break;
    case 2:
      rules = {MakeRule("1", RuleRole::kVoter, 2, rng),
               In(MakeRule("2", RuleRole::kVoter, 1, rng), "zone", {"z0", "z2"})};
      break;
    case 3:
      rules = {MakeRule("1", RuleRole::kVoter, 2, rng), MakeRule("2", RuleRole::kVoter, 1, rng)};
      rules.back().witness = true;
      break;
    case 4:
      rules = {MakeRule("1", RuleRole::kVoter, 3, rng), MakeRule("2", RuleRole::kLearner, 1, rng)};
      break;
    default:
      rules = {MakeRule("1", RuleRole::kVoter, rng.Below(3) == 0 ? 5 : 3, rng)};
      break;
  }
  if (rng.Below(3) == 0) {
    rules.push_back(In(MakeRule("9", RuleRole::kLearner, 1, rng), "engine", {"tiflash"}));
  }
  return rules;
}

bool MayLead(const Region& region, const Peer& peer) {
  return peer.role == PeerRole::kVoter && !peer.witness && !region.IsPending(peer.id) &&
         !region.IsDown(peer.id);
}

/// Peers as the rules ask for them, on any stores that do; as often as not with the best isolation.
Region MakeRegion(const World& world, const std::vector<Rule>& rules, Rng& rng) {
  Region region;
  region.id = {7};
  region.epoch = {5, 2};
  region.size_mib = rng.Below(200);
  region.source = RegionSource::kHeartbeat;
  for (const Rule& rule : rules) {
    const std::vector<Store>& stores = world.stores();
    const size_t first = rng.Below(stores.size());
    uint64_t count = 0;
    for (size_t i = 0; i < stores.size() && count < rule.count; ++i) {
      const Store& store = stores[(first + i) % stores.size()];
      if (region.PeerOnStore(store.id) != nullptr || !MatchesConstraints(store, rule.constraints)) {
        continue;
      }
      const PeerRole role = rule.role == RuleRole::kLearner ? PeerRole::kLearner : PeerRole::kVoter;
      const Peer peer{
          {700 + store.id.value}, store.id, role, rule.witness && world.options.enable_witness};
      region.peers.push_back(peer);
      ++count;
      const bool alive = IsAlive(world, store.id);
      if (alive && rng.Below(12) == 0) region.pending_peers.push_back(peer);
      if (!alive && rng.Below(3) > 0) region.down_peers.push_back({peer, 3600});
    }
  }
  for (const Peer& peer : region.peers) {  // The rule that may ask for the leader comes first.
    if (!MayLead(region, peer) || !IsAlive(world, peer.store)) continue;
    region.leader = peer;
    break;
  }
  return region;
}

std::string EngineOf(const World& world, StoreId id) {
  return std::string(world.FindStore(id)->Label("engine"));
}

/// How many peers of each engine, role and kind there are.
std::map<std::string, int> Makeup(const World& world, const Region& region) {
  std::map<std::string, int> makeup;
  for (const Peer& peer : region.peers) {
    makeup[EngineOf(world, peer.store) + (IsLearner(peer) ? " learner" : " voter") +
           (peer.witness ? " witness" : "")]++;
  }
  return makeup;
}

/// The region after all steps; looks at each on the way.
Region Obey(const World& world, Proposal proposal, Region region) {
  for (const StoreId store : proposal.NewPeerStores()) {
    proposal.FillPeerId(store, {900 + store.value});
  }
  const bool quorum = HasQuorum(world, region);
  for (const Step& step : proposal.steps) {
    INFO("step " << StepText(step));
    region = Applied(region, step);
    CHECK_FALSE(TwoOnOneStore(region));
    if (quorum) CHECK(HasQuorum(world, region));
    const Peer* leader = region.PeerOnStore(region.leader.store);
    REQUIRE(leader != nullptr);
    CHECK(IsVoter(*leader));
    CHECK_FALSE(leader->witness);
    if (!std::holds_alternative<TransferLeader>(step)) continue;
    CHECK_FALSE(region.IsPending(leader->id));
    CHECK_FALSE(region.IsDown(leader->id));
    CHECK(leader->role != PeerRole::kDemotingVoter);
  }
  return region;
}

std::vector<double> Isolation(const RegionFit& fit) {
  std::vector<double> scores;
  for (const RuleFit& rule_fit : fit.rule_fits) scores.push_back(rule_fit.isolation_score);
  return scores;
}

/// Two peers of a rule share the level that they should not.
bool SharesLevel(const World& world, const RegionFit& fit) {
  return std::ranges::any_of(fit.rule_fits, [&](const RuleFit& rule_fit) {
    const std::vector<const Store*> stores = StoresOf(world, rule_fit.peers);
    return rule_fit.rule->isolation_level != "" && stores.size() > 1 &&
           std::ranges::any_of(stores, [&](const Store* store) {
             std::vector<const Store*> others = stores;
             std::erase(others, store);
             return RefuseIsolation(*rule_fit.rule, others, *store).has_value();
           });
  });
}

void CheckOutcome(const World& world, const ScatterPlan& plan, const Region& before) {
  const Region after = Obey(world, *plan.proposal, before);
  CHECK(after.peers.size() == before.peers.size());
  CHECK(Makeup(world, after) == Makeup(world, before));
  CHECK_FALSE(after.InJointState());
  CHECK(after.leader.store == plan.leader);
  const PlanContext context = world.Context();
  const RegionFit fit_before = context.Fit(before);
  const RegionFit fit_after = context.Fit(after);
  CHECK(fit_after.IsSatisfied());
  CHECK(Isolation(fit_after) >= Isolation(fit_before));
  if (!SharesLevel(world, fit_before)) CHECK_FALSE(SharesLevel(world, fit_after));
  std::vector<StoreId> stores;
  for (const Peer& peer : after.peers) {
    stores.push_back(peer.store);
    const bool is_new = before.PeerOnStore(peer.store) == nullptr;
    if (is_new) CHECK_FALSE(RefuseBasicTarget(context, *world.FindStore(peer.store)).has_value());
  }
  std::ranges::sort(stores);
  CHECK(stores == plan.stores);
}

void Count(const World& world, const Region& region, const ScatterPlan& plan, Tally& tally) {
  if (plan.outcome == ScatterOutcome::kRefused) ++tally.refused;
  if (plan.outcome == ScatterOutcome::kInPlace) ++tally.in_place;
  if (plan.outcome != ScatterOutcome::kMove) return;
  const auto any = [](const auto& list, auto is) { return std::ranges::any_of(list, is) ? 1 : 0; };
  ++tally.moved;
  tally.learners += any(region.peers, [](const Peer& peer) { return IsLearner(peer); });
  tally.witnesses += any(region.peers, [](const Peer& peer) { return peer.witness; });
  tally.down_stores += any(world.stores(), [&](const Store& store) {
    return store.IsUp() && store.DownTime(world.now) > world.options.max_store_down_time;
  });
  tally.constraints +=
      any(world.rules.rules(), [](const Rule& rule) { return !rule.constraints.empty(); });
  if (plan.proposal->NewPeerStores().empty()) ++tally.leaders_only;
}

ScatterCounts MakeCounts(const World& world, Rng& rng) {
  ScatterCounts counts;
  for (const Store& store : world.stores()) {
    for (uint64_t i = rng.Below(5); i > 0; --i) {
      counts.Add(std::vector<StoreId>{store.id}, rng.Below(2) == 0 ? store.id : StoreId{});
    }
  }
  return counts;
}

/// Plans in one random cluster, looks at the plan, and passes it on.
template <class Plan, class Look>
void PlanCase(int number, Tally& tally, const Plan& make_plan, const Look& look) {
  Rng rng(static_cast<uint64_t>(number) + 2000000);
  World world;
  MakeStores(world, rng);
  world.options.enable_joint_consensus = rng.Below(3) > 0;
  world.options.enable_witness = rng.Below(4) > 0;
  world.options.location_labels = {"zone", "host"};
  std::vector<Rule> rules = MakeRules(rng);
  const Region region = MakeRegion(world, rules, rng);
  world.rules = RuleBook(std::move(rules));
  world.PutRegion(region);
  world.Refresh();
  const ScatterCounts counts = MakeCounts(world, rng);
  const ScatterPlan plan = make_plan(world.Context(), region, counts);
  Count(world, region, plan, tally);
  CAPTURE(number, world.options.enable_joint_consensus);
  CHECK(plan.proposal.has_value() == (plan.outcome == ScatterOutcome::kMove));
  CHECK(plan.refusal.has_value() == (plan.outcome == ScatterOutcome::kRefused));
  // A builder that finds no way would mean that the plan was none.
  if (plan.refusal) CHECK(plan.refusal->reason != Reason::kBuildFailed);
  if (!plan.proposal) return;
  CheckOutcome(world, plan, region);
  look(world.Context(), region, counts, plan);
}

void CheckTally(const char* name, const Tally& tally) {
  const auto share = [](int cases) { return 100.0 * cases / kCases; };
  fmt::print(
      "{}, {} cases: moved {:.1f}% (only the lead {:.1f}%) in place {:.1f}% refused {:.1f}%; "
      "moved with learners "
      "{:.1f}% witnesses {:.1f}% down stores {:.1f}% constraints {:.1f}%\n",
      name, kCases, share(tally.moved), share(tally.leaders_only), share(tally.in_place),
      share(tally.refused), share(tally.learners), share(tally.witnesses), share(tally.down_stores),
      share(tally.constraints));
  for (const int special :
       {tally.learners, tally.witnesses, tally.down_stores, tally.constraints}) {
    CHECK(special >= kCases / 20);
  }
}

template <class MakePlan, class Look>
void PlanCases(const char* name, MakePlan make_plan, Look look) {
  Tally tally;
  for (int i = 0; i < kCases; ++i) PlanCase(i, tally, make_plan, look);
  CheckTally(name, tally);
}

TEST_CASE("scattering never harms a region", "[property]") {
  PlanCases(
      "scatter",
      [](const PlanContext& context, const Region& region, const ScatterCounts& counts) {
        return PlanScatter(context, region, "g", counts);
      },
      [](const auto&...) {});
}

/// What came to a store has at least two less there than where something left; the lead too goes to such a store, and
/// to one that may have it.
void CheckGains(const PlanContext& context, const Region& before, const ScatterCounts& counts,
                const ScatterPlan& plan) {
  std::vector<StoreId> left;
  for (const Peer& peer : before.peers) {
    if (std::ranges::find(plan.stores, peer.store) == plan.stores.end()) left.push_back(peer.store);
  }
  for (const StoreId store : plan.stores) {
    if (before.PeerOnStore(store) != nullptr) continue;
    CHECK(std::ranges::any_of(
        left, [&](StoreId from) { return counts.PeersOn(from) >= counts.PeersOn(store) + 2; }));
  }
  const StoreId from = before.leader.store;
  if (plan.leader == from) return;
  CHECK(counts.LeadersOn(from) >= counts.LeadersOn(plan.leader) + 2);
  CHECK_FALSE(RefuseLeaderTarget(context, *context.view.FindStore(plan.leader)).has_value());
  CHECK_FALSE(RefuseLeaderSource(context, *context.view.FindStore(from)).has_value());
  CHECK(plan.proposal->kind != Kind::kSplitScatter);  // What it does is added.
  CHECK_FALSE(Has(plan.proposal->kind, Kind::kAdmin));
}

TEST_CASE("scattering the parts of a split never harms a region", "[property]") {
  PlanCases(
      "split scatter",
      [](const PlanContext& context, const Region& region, const ScatterCounts& counts) {
        return PlanSplitScatter(context, region, "g", counts);
      },
      CheckGains);
}

}  // namespace
}  // namespace scheduler::test

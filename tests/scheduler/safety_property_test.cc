// Over many random clusters: whatever a checker or a scheduler proposes can be carried out step by step without losing
// the quorum, a healthy copy or the leader, never with two peers on one store, and ends the operator.
#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "scheduler/checkers/checkers.h"
#include "scheduler/operator/command.h"
#include "scheduler/schedulers/registry.h"
#include "tests/harness/sanitized.h"
#include "tests/scheduler/cases.h"
#include "tests/scheduler/region_checks.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

const int kCases = static_cast<int>(CasesWanted());
/// Each of them runs all schedulers: ten times the work of a case of the checkers, and a hundred times that under a
/// sanitizer, which sees in a part of them how memory is used. What schedulers come to, and how rarely, all of them
/// show without it.
const int kSchedulerCases = harness::kSanitized ? kCases / 3 : kCases;
/// From here on even what comes once in thousands of cases is sure to come.
constexpr int kSchedulerCasesFull = 20'000;

void MakeStores(World& world, Rng& rng, uint64_t count) {
  for (uint64_t id = 1; id <= count; ++id) {
    Store& store = world.AddStore(id);
    store.labels = {{"zone", "z" + std::to_string(rng.Below(3))},
                    {"host", "h" + std::to_string(id)}};
    // Half of the stores have no trouble.
    Afflict(world, store, static_cast<Trouble>(std::min<uint64_t>(rng.Below(14), 7)));
    StoreCounts counts;
    counts.leaders = rng.Below(100);
    counts.followers = rng.Below(200);
    counts.witnesses = counts.followers * 7 % 40;
    counts.leader_size_mib = counts.leaders * 96;
    counts.follower_size_mib = counts.followers * 96;
    world.SetCounts(id, counts);
    if (rng.Below(20) == 0) store.stats.available_bytes = 5ULL << 30;
  }
}

bool IsHealthyCopy(const World& world, const Region& region, const Peer& peer) {
  return !peer.witness && IsAlive(world, peer.store) && !region.IsDown(peer.id) &&
         !region.IsPending(peer.id);
}

int64_t HealthyCopies(const World& world, const Region& region) {
  return std::ranges::count_if(
      region.peers, [&](const Peer& peer) { return IsHealthyCopy(world, region, peer); });
}

Region MakeRegion(const World& world, Rng& rng, uint64_t stores) {
  Region region;
  region.id = {7};
  region.epoch = {5 + rng.Below(5), 2};
  region.size_mib = rng.Below(200);
  region.source = RegionSource::kHeartbeat;
  region.start_key = "a";
  for (uint64_t store = 1; store <= stores; ++store) {
    if (rng.Below(stores) >= 3 + rng.Below(2)) continue;
    region.peers.push_back({{700 + store}, {store}, PeerRole::kVoter, false});
    Peer& peer = region.peers.back();
    const bool alive = IsAlive(world, peer.store);
    if (rng.Below(6) == 0) peer.role = PeerRole::kLearner;
    if (alive && rng.Below(8) == 0) {
      region.pending_peers.push_back(peer);
    } else if (!alive && rng.Below(4) > 0) {
      region.down_peers.push_back({peer, 3600});
    }
  }
  if (world.options.enable_witness) {
    for (Peer& peer : region.peers) peer.witness = rng.Below(4) == 0;
  }
  if (rng.Below(8) == 0) {  // Somebody left it inside a joint state.
    for (Peer& peer : region.peers) {
      const uint64_t dice = rng.Below(4);
      if (IsVoter(peer) && dice == 0) peer.role = PeerRole::kIncomingVoter;
      if (IsVoter(peer) && dice == 1) peer.role = PeerRole::kDemotingVoter;
    }
  }
  std::vector<Peer> leaders;
  for (const Peer& peer : region.peers) {
    if (IsVoter(peer) && IsHealthyCopy(world, region, peer)) leaders.push_back(peer);
  }
  if (!leaders.empty()) region.leader = leaders[rng.Below(leaders.size())];
  return region;
}

/// Obeys a proposal step by step and looks at every state on the way.
void Obey(const World& world, const Proposal& proposal, Region region) {
  Operator op(proposal, world.now);
  for (const StoreId store : proposal.NewPeerStores()) op.FillPeerId(store, {900 + store.value});
  REQUIRE(op.Start(world.now));
  const int64_t copies = HealthyCopies(world, region);
  const auto usable = [&](StoreId id) {
    const Store* store = world.FindStore(id);
    return store != nullptr && store->DownTime(world.now) <= world.options.max_store_down_time;
  };
  for (size_t i = 0; i <= op.plan().steps.size(); ++i) {
    const AdvanceResult result = Advance(op, region, world.now);
    if (result == AdvanceResult::kSucceeded) break;
    REQUIRE(result == AdvanceResult::kSend);
    REQUIRE(CheckStale(op, region, usable) == CancelReason::kNone);
    const Step& step = op.plan().steps[op.current_step()];
    INFO("step " << StepText(step));
    REQUIRE(CommandFor(step, region, ConfChange::kV2).has_value());
    region = Applied(region, step);
    CHECK(HasQuorum(world, region));
    CHECK_FALSE(TwoOnOneStore(region));
    // The repair of a region with spare copies may give up spares, never the last ones.
    CHECK(HealthyCopies(world, region) >= std::min<int64_t>(copies, 1));
    const Peer* leader = region.PeerOnStore(region.leader.store);
    REQUIRE(leader != nullptr);
    CHECK(leader->id == region.leader.id);
    CHECK(IsVoter(*leader));
  }
  CHECK(op.status() == Status::kSuccess);
  CHECK_FALSE(region.InJointState());
}

/// Nothing that was fine before may be less redundant after.
void CheckOutcome(const World& world, const Proposal& proposal, const Region& before) {
  Region after = before;
  Operator op(proposal, world.now);
  for (const StoreId store : proposal.NewPeerStores()) op.FillPeerId(store, {900 + store.value});
  for (const Step& step : op.plan().steps) after = Applied(after, step);
  int64_t wanted = 0;
  for (const Rule& rule : world.rules.rules()) {
    if (!rule.witness || !world.options.enable_witness) wanted += static_cast<int64_t>(rule.count);
  }
  CHECK(HealthyCopies(world, after) >= std::min(HealthyCopies(world, before), wanted));
}

enum class Rules : uint8_t { kOn, kOff };

void MakeWorld(World& world, Rng& rng, uint64_t stores, Rules rules = Rules::kOn) {
  MakeStores(world, rng, stores);
  world.options.enable_joint_consensus = rng.Below(3) > 0;
  world.options.max_replicas = rng.Below(4) == 0 ? 5 : 3;
  if (rng.Below(2) == 0) world.options.location_labels = {"zone", "host"};
  if (rng.Below(5) == 0) world.options.isolation_level = "zone";
  std::vector<Rule> book = {DefaultRule(world.options.max_replicas, world.options.location_labels,
                                        world.options.isolation_level)};
  world.options.enable_placement_rules = rules == Rules::kOn;
  world.options.enable_witness = rules == Rules::kOn && rng.Below(3) == 0;
  if (world.options.enable_witness && rng.Below(2) == 0) {
    book.push_back(book.front());
    book.back().id = "witness";
    book.back().witness = true;
    book.back().count = book.front().count / 2;
    book.front().count -= book.back().count;
  }
  world.rules = RuleBook(std::move(book));
}

/// All regions belong to a group with random stores.
void BindToGroup(World& world, Rng& rng, uint64_t stores) {
  LabelRule rule;
  rule.id = AffinityRuleId("g");
  rule.labels.push_back(
      {.key = std::string(kAffinityLabel), .value = "g", .ttl = "", .start_at = ""});
  rule.ranges.emplace_back();
  RegionLabelBook::Rules rules;
  rules[rule.id] = rule;
  world.labels = RegionLabelBook(std::move(rules));
  std::set<StoreId> voters;
  while (voters.size() < std::min(world.options.max_replicas, stores)) {
    voters.insert({1 + rng.Below(stores)});
  }
  AffinityGroup group;
  group.stores.voters.assign(voters.begin(), voters.end());
  group.stores.leader = group.stores.voters[rng.Below(voters.size())];
  world.affinity["g"] = group;
  world.options.affinity_schedule_limit = 1;
}

/// What the generator has made, so that it is seen to make what matters.
struct Seen {
  int cases = 0;
  int joint = 0;
  int down = 0;
  int pending = 0;
  int witness = 0;
  int low_space = 0;
  std::map<std::string, int> proposals;  // By description.

  void Note(const World& world, const Region& region) {
    ++cases;
    if (region.InJointState()) ++joint;
    if (!region.down_peers.empty()) ++down;
    if (!region.pending_peers.empty()) ++pending;
    if (std::ranges::any_of(region.peers, &Peer::witness)) ++witness;
    const bool low = std::ranges::any_of(world.stores(), [&](const Store& store) {
      return IsLowSpace(store, world.options.low_space_ratio);
    });
    if (low) ++low_space;
  }

  void CheckShares(bool witnesses) const {
    fmt::print(
        "{} cases: joint state {}, down peers {}, pending peers {}, witnesses {}, low space {}\n",
        cases, joint, down, pending, witness, low_space);
    for (const auto& [desc, times] : proposals) fmt::print("  {} {}\n", desc, times);
    for (const int kind : {joint, down, pending, low_space}) CHECK(kind * 20 >= cases);
    if (witnesses) CHECK(witness * 20 >= cases);
  }
};

/// Asks the checkers about many random regions and obeys what they propose.
Seen CheckMany(Rules rules, uint64_t first_seed) {
  Seen seen;
  for (uint64_t i = 0; i < static_cast<uint64_t>(kCases); ++i) {
    Rng rng(first_seed + i);
    const uint64_t stores = 3 + rng.Below(6);
    World world;
    MakeWorld(world, rng, stores, rules);
    const Region region = MakeRegion(world, rng, stores);
    if (!region.HasLeader() || !HasQuorum(world, region)) continue;
    world.PutRegion(region);
    world.Refresh();
    seen.Note(world, region);
    if (rules == Rules::kOn) BindToGroup(world, rng, stores);
    const CheckResult result = CheckRegion(world.Context(), region, {});
    for (const Decision* decision : {&result.repair, &result.affinity}) {
      for (const Proposal& proposal : decision->proposals) {
        ++seen.proposals[proposal.desc];
        CAPTURE(i, proposal.desc, proposal.brief);
        Obey(world, proposal, region);
        CheckOutcome(world, proposal, region);
      }
    }
  }
  return seen;
}

void CheckSeen(const std::map<std::string, int>& proposals,
               std::initializer_list<const char*> descriptions) {
  for (const char* desc : descriptions) {
    CAPTURE(desc);
    CHECK(proposals.contains(desc));
  }
}

TEST_CASE("no proposal of a checker harms a region", "[property]") {
  const Seen seen = CheckMany(Rules::kOn, 0);
  seen.CheckShares(true);
  CheckSeen(seen.proposals,
            {"add-rule-peer", "replace-rule-down-peer", "replace-rule-offline-peer",
             "fast-replace-rule-down-peer", "promote-witness-for-down", "fix-witness-peer",
             "fix-non-witness-peer", "remove-orphan-peer", "move-to-better-location",
             "leave-joint-state", "affinity-move-region"});
}

TEST_CASE("nor does one of those that work without placement rules", "[property]") {
  const Seen seen = CheckMany(Rules::kOff, 2'000'000);
  seen.CheckShares(false);
  CheckSeen(seen.proposals,
            {"promote-learner", "make-up-replica", "replace-down-replica",
             "replace-offline-replica", "remove-extra-down-replica", "remove-extra-offline-replica",
             "remove-extra-replica", "move-to-better-location", "leave-joint-state"});
}

/// Obeys the checkers until they have nothing more to say; how many proposals that took, kPatience when it never ends.
constexpr int kPatience = 24;
int ProposalsUntilRest(World& world, Region region) {
  uint64_t next_peer = 1000;
  for (int count = 0; count < kPatience; ++count) {
    world.PutRegion(region);
    world.Refresh();
    CheckResult result = CheckRegion(world.Context(), region, {});
    if (result.repair.proposals.empty()) return count;
    Proposal& proposal = result.repair.proposals.front();
    for (const StoreId store : proposal.NewPeerStores()) proposal.FillPeerId(store, {++next_peer});
    for (const Step& step : proposal.steps) region = Applied(region, step);
  }
  return kPatience;
}

TEST_CASE("the checkers come to rest", "[property]") {
  const Rules rules = GENERATE(Rules::kOn, Rules::kOff);
  int longest = 0;
  for (uint64_t i = 0; i < static_cast<uint64_t>(kCases) / 4; ++i) {
    Rng rng(3'000'000 + i);
    const uint64_t stores = 3 + rng.Below(6);
    World world;
    MakeWorld(world, rng, stores, rules);
    const Region region = MakeRegion(world, rng, stores);
    if (!region.HasLeader() || !HasQuorum(world, region)) continue;
    const int count = ProposalsUntilRest(world, region);
    CAPTURE(i);
    CHECK(count < kPatience);
    longest = std::max(longest, count);
  }
  CHECK(longest > 3);
}

/// Regions with the same peers beside `region`: some schedulers compare counts, and find nothing in one alone.
void PutSiblings(World& world, const Region& region) {
  constexpr uint64_t kSiblings = 5;
  for (uint64_t i = 1; i <= kSiblings; ++i) {
    Region sibling = region;
    sibling.id.value += i;
    sibling.start_key = std::to_string(i);
    sibling.end_key = std::to_string(i + 1);
    world.PutRegion(sibling);
  }
}

/// One of the siblings is led by one of its witnesses, if it has any that votes.
void LetWitnessLead(World& world, Region region) {
  const auto witness = std::ranges::find_if(
      region.peers, [](const Peer& peer) { return peer.witness && IsVoter(peer); });
  if (witness == region.peers.end()) return;
  region.leader = *witness;
  region.id.value += 100;
  region.start_key = "7";
  region.end_key = "8";
  world.PutRegion(region);
}

RangeJob AnyJob(Rng& rng) {
  RangeJob job;
  job.ranges = {{"0", "z"}};
  job.rule = rng.Below(2) == 0 ? RangeJobRule::kLeaderScatter : RangeJobRule::kPeerScatter;
  return job;
}

/// Settings under which a scheduler has something to do with `region`.
struct Interested {
  const Region& region;
  Rng& rng;

  void operator()(EvictLeaderConfig& config) const { config.stores[region.leader.store]; }
  void operator()(GrantLeaderConfig& config) const { config.stores[StoreId{1}]; }
  void operator()(EvictSlowStoreConfig& config) const { config.evicted = {region.leader.store}; }
  void operator()(EvictSlowTrendConfig& config) const { config.evicted = {region.leader.store}; }
  void operator()(BalanceRangeConfig& config) const {
    REQUIRE(AddRangeJob(config.jobs, AnyJob(rng), 0));
  }
  template <class Other>
  void operator()(Other&) const {}
};

/// Runs each scheduler once; proposals by description.
void ScheduleAll(World& world, const Region& region, Rng& rng, std::map<std::string, int>& seen) {
  for (const SchedulerType& type : SchedulerTypes()) {
    SchedulerConfig config = DefaultSchedulerConfig(type);
    std::visit(Interested{region, rng}, config);
    SchedulerMemory memory;
    for (const Proposal& proposal : RunScheduler(world.Context(), config, memory, rng).proposals) {
      ++seen[proposal.desc];
      if (Has(proposal.kind, Kind::kMerge))
        continue;  // Ends with two regions: merge_property_test.
      CAPTURE(proposal.desc, proposal.brief);
      const Region before = *world.FindRegion(proposal.region);
      Obey(world, proposal, before);
      CheckOutcome(world, proposal, before);
    }
  }
}

/// Its stores have much to do, others little.
void MakeHot(World& world, Rng& rng, RegionId region) {
  const auto load = [&] {
    const double scale = 1 + static_cast<double>(rng.Below(4));
    return Load{{1e6 * scale, 1e4 * scale, 1e4 * scale, 50 * scale}};
  };
  World::RegionLoad& loads = world.region_loads[region];
  loads.write = load();
  loads.write[LoadDim::kCpu] = 0;
  loads.read = load();
  for (const Store& store : world.stores()) {
    world.loads[store.id].write = load() * (0.5 + static_cast<double>(rng.Below(4)));
    world.loads[store.id].read = load() * (0.5 + static_cast<double>(rng.Below(4)));
    if (world.FindRegion(region)->PeerOnStore(store.id) != nullptr) continue;
    world.loads[store.id].write *= 0.1;
    world.loads[store.id].read *= 0.1;
  }
}

TEST_CASE("no proposal of a scheduler harms a region", "[property]") {
  std::map<std::string, int> seen;
  for (int i = 0; i < kSchedulerCases; ++i) {
    Rng rng(static_cast<uint64_t>(i) + 1000000);
    const uint64_t stores = 3 + rng.Below(6);
    World world;
    MakeWorld(world, rng, stores);
    const Region region = MakeRegion(world, rng, stores);
    if (!region.HasLeader() || !HasQuorum(world, region)) continue;
    if (rng.Below(4) == 0) {
      world.options.reject_leader_labels = {
          {"host", "h" + std::to_string(region.leader.store.value)}};
    }
    world.PutRegion(region);
    PutSiblings(world, region);
    if (world.options.enable_witness && rng.Below(2) == 0) LetWitnessLead(world, region);
    world.Refresh();
    MakeHot(world, rng, region.id);
    CAPTURE(i);
    ScheduleAll(world, region, rng, seen);
  }
  for (const auto& [desc, times] : seen) fmt::print("  {} {}\n", desc, times);
  CheckSeen(seen, {"balance-leader", "balance-region", "balance-range", "evict-leader",
                   "evict-slow-store", "evict-slow-trend", "grant-leader", "label-reject-leader",
                   "scatter-range-leader-", "shuffle-leader"});
  if (kSchedulerCases < kSchedulerCasesFull) return;
  CheckSeen(seen,
            {"balance-witness", "transfer-witness-leader", "random-merge", "shuffle-region",
             "scatter-range-region-", "move-hot-write-peer", "move-hot-write-leader",
             "transfer-hot-write-leader", "move-hot-read-leader", "transfer-hot-read-leader"});
}

}  // namespace
}  // namespace scheduler::test

// Over many random pairs of neighbours: the source of a merge comes to where the target is without ever losing its
// quorum, its leader or a copy of its data, and the merge starts only there.
#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "scheduler/checkers/merge_checker.h"
#include "scheduler/operator/command.h"
#include "scheduler/operator/merge.h"
#include "tests/scheduler/cases.h"
#include "tests/scheduler/region_checks.h"
#include "tests/scheduler/world.h"

namespace scheduler::test {
namespace {

const int kCases = static_cast<int>(CasesWanted());
constexpr uint64_t kStores = 6;

Region MakeRegion(World& world, Rng& rng, uint64_t id) {
  Region region;
  region.id = {id};
  region.epoch = {5 + rng.Below(5), 2 + rng.Below(5)};
  region.size_mib = 1 + rng.Below(90);
  region.source = RegionSource::kHeartbeat;
  region.start_key = "k" + std::to_string(id);
  region.end_key = "k" + std::to_string(id + 1);
  while (region.peers.size() < 3) {
    const StoreId store{1 + rng.Below(kStores)};
    if (region.PeerOnStore(store) != nullptr) continue;
    region.peers.push_back({{id * 100 + store.value}, store, PeerRole::kVoter, false});
  }
  const uint64_t leader = rng.Below(3);
  region.leader = region.peers[leader];
  if (world.options.enable_witness) {
    Peer& witness = region.peers[(leader + 1 + rng.Below(2)) % 3];
    witness.witness = true;
    if (world.rules.rules().back().role == RuleRole::kLearner) witness.role = PeerRole::kLearner;
  }
  world.PutRegion(region);
  return region;
}

std::map<StoreId, std::pair<PeerRole, bool>> PlacesOfPeers(const Region& region) {
  std::map<StoreId, std::pair<PeerRole, bool>> places;
  for (const Peer& peer : region.peers) places[peer.store] = {peer.role, peer.witness};
  return places;
}

int64_t Copies(const Region& region) {
  return std::ranges::count(region.peers, false, &Peer::witness);
}

/// Two copies and a witness, which may be a learner.
void UseWitnesses(World& world, bool learner) {
  world.options.enable_witness = true;
  std::vector<Rule> rules{DefaultRule(2, {}, ""), DefaultRule(1, {}, "")};
  rules.back().id = "witness";
  rules.back().witness = true;
  if (learner) rules.back().role = RuleRole::kLearner;
  world.rules = RuleBook(std::move(rules));
}

/// The source when its merge is to start.
Region AtTheMerge(const World& world, const Proposal& proposal, Region region) {
  const int64_t copies = Copies(region);
  Operator op(proposal, world.now);
  for (const StoreId store : proposal.NewPeerStores()) op.FillPeerId(store, {9000 + store.value});
  REQUIRE(op.Start(world.now));
  for (size_t i = 0; i < op.plan().steps.size(); ++i) {
    REQUIRE(Advance(op, region, world.now) == AdvanceResult::kSend);
    REQUIRE(CheckStale(op, region, [](StoreId) { return true; }) == CancelReason::kNone);
    const Step& step = op.plan().steps[op.current_step()];
    if (std::holds_alternative<MergeRegion>(step)) return region;
    REQUIRE(CommandFor(step, region, ConfChange::kV2).has_value());
    region = Applied(region, step);
    CHECK(HasQuorum(world, region));
    CHECK_FALSE(TwoOnOneStore(region));
    const Peer* leader = region.PeerOnStore(region.leader.store);
    REQUIRE(leader != nullptr);
    CHECK(IsVoter(*leader));
    CHECK_FALSE(leader->witness);
    CHECK(Copies(region) >= copies);
  }
  FAIL("the merge does not come");
  return region;
}

bool HasSwitch(const Proposal& proposal) {
  return std::ranges::any_of(proposal.steps, [](const Step& step) {
    return std::holds_alternative<BatchSwitchWitness>(step);
  });
}

/// Both operators end when the target shows the joint range, and not before.
void CheckEnd(const World& world, const Proposal& proposal, const Region& source,
              const Region& target) {
  const auto side = TargetSide(proposal);
  REQUIRE(side.has_value());
  CHECK(MergePartner(proposal) == target.id);
  CHECK(MergePartner(*side) == source.id);
  CHECK(side->Timeout() >= proposal.Timeout());
  CHECK_FALSE(TargetSide(*side).has_value());
  Operator op(*side, world.now);
  REQUIRE(op.Start(world.now));
  CHECK(Advance(op, target, world.now) == AdvanceResult::kSend);
  CHECK_FALSE(CommandFor(side->steps.front(), target, ConfChange::kV2).has_value());
  Region split = target;
  split.epoch.version += 1;
  split.end_key = split.start_key + "5";
  CHECK(Advance(op, split, world.now) == AdvanceResult::kSend);
  CHECK(IsMergeOvertaken(*side, split));
  Region joint = target;
  joint.epoch.version += 2;
  joint.start_key = std::min(source.start_key, target.start_key);
  joint.end_key = std::max(source.end_key, target.end_key);
  CHECK(Advance(op, joint, world.now) == AdvanceResult::kSucceeded);
}

TEST_CASE("a merge brings its source safely to its target", "[property]") {
  int merges = 0;
  int moved = 0;
  int switched = 0;
  for (int i = 0; i < kCases; ++i) {
    Rng rng(static_cast<uint64_t>(i));
    World world;
    for (uint64_t id = 1; id <= kStores; ++id) world.AddStore(id);
    world.options.enable_joint_consensus = rng.Below(3) > 0;
    if (rng.Below(3) == 0) UseWitnesses(world, rng.Below(2) == 0);
    const Region left = MakeRegion(world, rng, 1);
    const Region right = MakeRegion(world, rng, 2);
    world.Refresh();
    for (const Region* source : {&left, &right}) {
      CAPTURE(i, source->id.value, world.options.enable_joint_consensus);
      if (source->size_mib > world.options.max_merge_region_size_mib) continue;
      const Decision decision = CheckMerge(world.Context(), *source);
      if (decision.proposals.empty()) {
        CHECK_FALSE(decision.refusals.empty());
        continue;
      }
      const Proposal& proposal = decision.proposals.front();
      const Region& target = source == &left ? right : left;
      ++merges;
      if (proposal.steps.size() > 1) ++moved;
      if (HasSwitch(proposal)) ++switched;
      const Region arrived = AtTheMerge(world, proposal, *source);
      CHECK(PlacesOfPeers(arrived) == PlacesOfPeers(target));
      CheckEnd(world, proposal, *source, target);
    }
  }
  CHECK(merges > kCases / 4);
  CHECK(moved > kCases / 8);
  CHECK(switched > kCases / 20);
}

}  // namespace
}  // namespace scheduler::test

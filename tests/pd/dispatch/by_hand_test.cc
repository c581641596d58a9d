// What people ask for, where it is more than the builder's own tests show.
#include "pd/dispatch/by_hand.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/scheduler/world.h"

namespace pd {
namespace {

using scheduler::PeerRole;
using scheduler::RuleRole;
using scheduler::StoreId;

TEST_CASE("a move leaves the witnesses that stay as they are", "[by hand]") {
  scheduler::test::World world;
  world.options.enable_witness = true;
  for (const uint64_t id : {1U, 2U, 3U, 4U}) world.AddStore(id);
  scheduler::Region region;
  region.id = {7};
  region.epoch = {5, 2};
  for (const uint64_t store : {1U, 2U, 3U}) {
    region.peers.push_back({{700 + store}, {store}, PeerRole::kVoter, store == 3});
  }
  region.leader = region.peers[0];
  world.PutRegion(region);
  world.Refresh();
  const auto plan = MoveRegionByHand(
      region, {{{1}, RuleRole::kLeader}, {{3}, RuleRole::kVoter}, {{4}, RuleRole::kVoter}});
  const auto proposal = plan(world.Context());
  REQUIRE(proposal.has_value());
  CHECK(std::ranges::none_of(proposal->steps, [](const scheduler::Step& step) {
    return std::holds_alternative<scheduler::BatchSwitchWitness>(step);
  }));
  CHECK(proposal->NewPeerStores() == std::vector<StoreId>{{4}});
}

}  // namespace
}  // namespace pd

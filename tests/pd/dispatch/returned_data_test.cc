// When witnesses got their data back: what counts, and that it is bounded.
#include "pd/dispatch/returned_data.h"

#include <utility>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Instant;

OperatorInfo Ended(uint64_t region, bool witness, Instant at) {
  scheduler::Proposal plan;
  plan.region = {region};
  const scheduler::Peer peer{{1}, {1}, scheduler::PeerRole::kVoter, witness};
  plan.steps.emplace_back(scheduler::BatchSwitchWitness{{{{1}, {1}, witness}}});
  scheduler::Operator op(std::move(plan), at);
  REQUIRE(op.Start(at));
  scheduler::Region seen;
  seen.peers = {peer};
  op.Progress(seen, at);
  REQUIRE(op.status() == scheduler::Status::kSuccess);
  return {std::move(op), {}, {}, {}};
}

TEST_CASE("an operator that made a witness an ordinary peer counts", "[witness]") {
  ReturnedData data;
  data.Note(Ended(7, false, Instant{Millis{1000}}));
  CHECK(data.LastOf({7}) == Instant{Millis{1000}});
  CHECK_FALSE(data.LastOf({8}));
  data.Note(Ended(7, false, Instant{Millis{3000}}));
  CHECK(data.LastOf({7}) == Instant{Millis{3000}});
  data.Clear();
  CHECK_FALSE(data.LastOf({7}));
}

TEST_CASE("one that made a witness, or failed, does not", "[witness]") {
  ReturnedData data;
  data.Note(Ended(7, true, Instant{Millis{1000}}));
  CHECK_FALSE(data.LastOf({7}));
  scheduler::Proposal plan;
  plan.region = {7};
  plan.steps.emplace_back(scheduler::BatchSwitchWitness{{{{1}, {1}, false}}});
  scheduler::Operator op(std::move(plan), {});
  REQUIRE(op.Start({}));
  REQUIRE(op.Cancel(scheduler::CancelReason::kEpochNotMatch, {}));
  data.Note({std::move(op), {}, {}, {}});
  CHECK_FALSE(data.LastOf({7}));
}

}  // namespace
}  // namespace pd

#include "pd/dispatch/finished_moves.h"

#include <catch2/catch.hpp>

namespace pd {
namespace {

using scheduler::Instant;
using scheduler::Kind;
using scheduler::MovedThing;
using scheduler::MoveHistory;
using scheduler::Operator;

constexpr scheduler::RegionId kRegion{7};

Instant At(int64_t seconds) { return Instant{} + scheduler::Seconds{seconds}; }

/// One that has ended well, by default.
OperatorInfo Ended(Kind kind, std::vector<scheduler::Step> steps,
                   scheduler::Status status = scheduler::Status::kSuccess,
                   scheduler::Priority priority = scheduler::Priority::kMedium) {
  scheduler::Proposal plan;
  plan.priority = priority;
  plan.region = kRegion;
  plan.kind = kind;
  plan.steps = std::move(steps);
  OperatorInfo info{Operator(plan, At(0)), {}, {}, {}};
  REQUIRE(info.op.Start(At(0)));
  if (status == scheduler::Status::kSuccess) {
    REQUIRE(info.op.Succeed(At(1)));
  } else {
    REQUIRE(info.op.Cancel(scheduler::CancelReason::kAdminStop, At(1)));
  }
  return info;
}

std::vector<scheduler::Step> MovePeer(uint64_t from, uint64_t to) {
  return {scheduler::AddLearner{{to}, {}, {}}, scheduler::RemovePeer{{from}, {}}};
}

TEST_CASE("leaders that had to leave a store may come back when it is well again",
          "[finished-moves]") {
  MetricsRegistry metrics;
  FinishedMoves moves(metrics);
  MoveHistory history;
  const auto ended = [](scheduler::Priority priority) {
    return Ended(Kind::kLeader, {scheduler::TransferLeader{{2}, {3}, {}}},
                 scheduler::Status::kSuccess, priority);
  };
  moves.Note(ended(scheduler::Priority::kUrgent));
  moves.Note(ended(scheduler::Priority::kLow));  // At random.
  moves.AddTo(history, At(10));
  CHECK_FALSE(history.AwayFrom(MovedThing::kLeader, kRegion, {2}, At(10)));
  moves.Note(ended(scheduler::Priority::kHigh));
  moves.AddTo(history, At(10));
  CHECK(history.AwayFrom(MovedThing::kLeader, kRegion, {2}, At(10)));
}

TEST_CASE("what schedulers have moved is remembered", "[finished-moves]") {
  MetricsRegistry metrics;
  FinishedMoves moves(metrics);
  MoveHistory history;
  moves.Note(Ended(Kind::kRegion, MovePeer(1, 4)));
  moves.Note(Ended(Kind::kLeader, {scheduler::TransferLeader{{2}, {3}, {}}}));
  moves.AddTo(history, At(10));
  CHECK(history.AwayFrom(MovedThing::kPeer, kRegion, {1}, At(10)));
  CHECK(history.AwayFrom(MovedThing::kLeader, kRegion, {2}, At(10)));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, {4}, At(10)));
  CHECK_FALSE(history.AwayFrom(MovedThing::kLeader, kRegion, {3}, At(10)));
  CHECK(metrics.Render().find("pd_scheduler_moved_back_total{") == std::string::npos);

  // By way of another store.
  moves.Note(Ended(Kind::kHotRegion | Kind::kRegion, MovePeer(4, 1)));
  moves.Note(Ended(Kind::kLeader, {scheduler::TransferLeader{{3}, {2}, {}}}));
  moves.AddTo(history, At(20));
  const std::string text = metrics.Render();
  CHECK(text.find("pd_scheduler_moved_back_total{type=\"peer\"} 1") != std::string::npos);
  CHECK(text.find("pd_scheduler_moved_back_total{type=\"leader\"} 1") != std::string::npos);
}

TEST_CASE("what others do, and what was not done, is not", "[finished-moves]") {
  MetricsRegistry metrics;
  FinishedMoves moves(metrics);
  MoveHistory history;
  moves.Note(Ended(Kind::kReplica | Kind::kRegion, MovePeer(1, 4)));
  moves.Note(Ended(Kind::kAdmin | Kind::kRegion, MovePeer(1, 4)));
  moves.Note(Ended(Kind::kRegion, MovePeer(1, 4), scheduler::Status::kCanceled));
  moves.AddTo(history, At(10));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, {1}, At(10)));
  // Of another leadership.
  moves.Note(Ended(Kind::kRegion, MovePeer(1, 4)));
  moves.Clear();
  moves.AddTo(history, At(10));
  CHECK_FALSE(history.AwayFrom(MovedThing::kPeer, kRegion, {1}, At(10)));
}

}  // namespace
}  // namespace pd

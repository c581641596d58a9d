#include "pd/dispatch/finished_moves.h"

#include <utility>
#include <variant>

namespace pd {
namespace {

using scheduler::Kind;

/// Not so what is urgent: it takes leaders from a store that is to have none, and once it may have some again nothing
/// speaks against those it had. Nor what moves things at random.
bool IsBalance(const scheduler::Proposal& plan) {
  using scheduler::Priority;
  if (plan.priority != Priority::kMedium && plan.priority != Priority::kHigh) return false;
  switch (scheduler::CountingKind(plan.kind)) {
    case Kind::kRange:
    case Kind::kHotRegion:
    case Kind::kRegion:
    case Kind::kLeader:
      return true;
    default:
      return false;
  }
}

}  // namespace

FinishedMoves::FinishedMoves(MetricsRegistry& metrics)
    : back_(metrics.Counters(
          "pd_scheduler_moved_back_total",
          "What balancing brought back to where it had taken it from an hour ago or less",
          {"type"})) {}

void FinishedMoves::Note(const OperatorInfo& ended) {
  const scheduler::Proposal& plan = ended.op.plan();
  if (ended.op.status() != scheduler::Status::kSuccess || !IsBalance(plan)) return;
  const MutexLock lock(mutex_);
  const auto note = [&](scheduler::MovedThing what, scheduler::StoreId store, bool came) {
    if (moves_.size() < kMax) moves_.push_back({what, plan.region, store, came});
  };
  for (const scheduler::Step& step : plan.steps) {
    if (const auto* transfer = std::get_if<scheduler::TransferLeader>(&step)) {
      note(scheduler::MovedThing::kLeader, transfer->from, false);
      note(scheduler::MovedThing::kLeader, transfer->to, true);
    } else if (const auto* removal = std::get_if<scheduler::RemovePeer>(&step)) {
      note(scheduler::MovedThing::kPeer, removal->store, false);
    } else if (const auto* learner = std::get_if<scheduler::AddLearner>(&step)) {
      note(scheduler::MovedThing::kPeer, learner->store, true);
    } else if (const auto* peer = std::get_if<scheduler::AddPeer>(&step)) {
      note(scheduler::MovedThing::kPeer, peer->store, true);
    }
  }
}

void FinishedMoves::AddTo(scheduler::MoveHistory& history, scheduler::Instant now) {
  std::vector<Move> moves;
  {
    const MutexLock lock(mutex_);
    moves = std::exchange(moves_, {});
  }
  for (const Move& move : moves) {
    if (!move.came) {
      history.NoteLeft(move.what, move.region, move.store, now);
    } else if (history.AwayFrom(move.what, move.region, move.store, now)) {
      back_.With({move.what == scheduler::MovedThing::kPeer ? "peer" : "leader"}).Add();
    }
  }
}

void FinishedMoves::Clear() {
  const MutexLock lock(mutex_);
  moves_.clear();
}

}  // namespace pd

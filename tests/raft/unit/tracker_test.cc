#include "raft/src/tracker/tracker.h"

#include <deque>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace raft {
namespace {

TEST_CASE("inflights are a queue with two limits") {
  CHECK(rc::check([](const std::vector<std::pair<bool, uint8_t>>& operations) {
    const uint64_t capacity = *rc::gen::inRange<uint64_t>(1, 20);
    const uint64_t bytes_max = *rc::gen::inRange<uint64_t>(0, 300);
    Inflights inflights(capacity, bytes_max);
    std::deque<std::pair<LogIndex, uint64_t>> twin;
    LogIndex next = 1;
    for (const auto& [add, number] : operations) {
      uint64_t bytes = 0;
      for (const auto& [index, size] : twin) bytes += size;
      const bool full = twin.size() == capacity || (bytes_max > 0 && bytes >= bytes_max);
      RC_ASSERT(inflights.full() == full);
      RC_ASSERT(inflights.count() == twin.size());
      RC_ASSERT(inflights.bytes() == bytes);
      if (add) {
        next += 1 + number % 3;
        RC_ASSERT(inflights.Add(next, number) == !full);
        if (!full) twin.emplace_back(next, number);
      } else {
        const LogIndex until = next - std::min<LogIndex>(next, number % 8);
        inflights.FreeTo(until);
        while (!twin.empty() && twin.front().first <= until) twin.pop_front();
      }
    }
    inflights.Clear();
    RC_ASSERT(inflights.count() == 0 && inflights.bytes() == 0);
  }));
}

Progress Made(ProgressState state, LogIndex match, LogIndex next, LogIndex pending = 0) {
  Progress progress(1, next, Inflights(4, 0));
  progress.set_match(match);
  if (state == ProgressState::kReplicate) {
    progress.BecomeReplicate();
    CHECK(progress.SentEntries(next - match - 1, 0));
  }
  if (state == ProgressState::kSnapshot) progress.BecomeSnapshot(pending);
  return progress;
}

TEST_CASE("a probe goes one by one, or behind the snapshot") {
  Progress replicating = Made(ProgressState::kReplicate, 5, 9);
  replicating.BecomeProbe();
  CHECK(replicating.next() == 6);
  CHECK(replicating.inflights().count() == 0);

  Progress restored = Made(ProgressState::kSnapshot, 5, 6, 20);
  CHECK(restored.paused());
  restored.BecomeProbe();
  CHECK(restored.next() == 21);
  CHECK_FALSE(restored.paused());

  Progress failed = Made(ProgressState::kSnapshot, 5, 6, 20);
  failed.ForgetPendingSnapshot();
  failed.BecomeProbe();
  CHECK(failed.next() == 6);
}

TEST_CASE("a probe waits for an answer, a replicating member for room") {
  Progress probe = Made(ProgressState::kProbe, 0, 1);
  CHECK(probe.SentEntries(0, 0));
  CHECK_FALSE(probe.paused());
  CHECK(probe.SentEntries(1, 10));
  CHECK(probe.paused());
  CHECK(probe.next() == 1);

  Progress fast = Made(ProgressState::kReplicate, 0, 1);
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(fast.paused());
    CHECK(fast.SentEntries(2, 10));
  }
  CHECK(fast.paused());
  CHECK(fast.next() == 9);
  CHECK_FALSE(fast.SentEntries(1, 10));
}

TEST_CASE("acknowledgements") {
  Progress progress = Made(ProgressState::kProbe, 3, 5);
  progress.PauseFlow();
  CHECK_FALSE(progress.MaybeUpdate(3));
  CHECK(progress.paused());
  CHECK(progress.MaybeUpdate(4));
  CHECK(progress.match() == 4);
  CHECK(progress.next() == 5);
  CHECK_FALSE(progress.paused());
  CHECK(progress.MaybeUpdate(9));
  CHECK(progress.next() == 10);
}

TEST_CASE("refusals") {
  struct Case {
    ProgressState state;
    LogIndex match, next, rejected, hint;
    bool genuine;
    LogIndex then;
  };
  const ProgressState probe = ProgressState::kProbe;
  const ProgressState replicate = ProgressState::kReplicate;
  for (const Case& c : std::vector<Case>{{replicate, 5, 10, 5, 5, false, 10},
                                         {replicate, 5, 10, 4, 4, false, 10},
                                         {replicate, 5, 10, 9, 9, true, 6},
                                         {probe, 0, 10, 8, 8, false, 10},
                                         {probe, 0, 10, 9, 9, true, 9},
                                         {probe, 0, 10, 9, 2, true, 3},
                                         {probe, 0, 10, 9, 0, true, 1},
                                         {probe, 0, 10, 9, UINT64_MAX, true, 9},
                                         {probe, 4, 10, 9, 1, true, 5},
                                         {probe, 0, 2, 1, 0, true, 1}}) {
    INFO(c.match << " " << c.next << " " << c.rejected << " " << c.hint);
    Progress progress = Made(c.state, c.match, c.next);
    CHECK(progress.MaybeDecreaseTo(c.rejected, c.hint) == c.genuine);
    CHECK(progress.next() == c.then);
  }
}

TEST_CASE("a commit index is worth telling only if it can be used") {
  Progress progress = Made(ProgressState::kReplicate, 5, 9);
  progress.SentCommit(5);
  CHECK(progress.CanBumpCommit(6));
  CHECK_FALSE(progress.CanBumpCommit(5));
  progress.SentCommit(8);
  CHECK_FALSE(progress.CanBumpCommit(20));
}

Tracker Joint() {
  Tracker tracker(4, 0);
  ProgressMap progress;
  for (NodeId id = 1; id <= 6; ++id) progress.emplace_back(id, 1, Inflights(4, 0));
  progress[5].set_is_learner(true);
  tracker.Replace({{1, 2, 3}, {6}, {3, 4, 5}, {}, false}, progress);
  return tracker;
}

TEST_CASE("joint decisions need both halves, learners none") {
  Tracker tracker = Joint();
  CHECK(tracker.Voters() == std::vector<NodeId>{1, 2, 3, 4, 5});
  tracker.RecordVote(1, true);
  tracker.RecordVote(2, true);
  tracker.RecordVote(6, true);
  tracker.RecordVote(77, true);
  CHECK(tracker.CountVotes().granted == 2);
  CHECK(tracker.CountVotes().result == VoteResult::kPending);
  tracker.RecordVote(4, false);
  tracker.RecordVote(4, true);
  CHECK(tracker.CountVotes().rejected == 1);
  tracker.RecordVote(5, true);
  CHECK(tracker.CountVotes().result == VoteResult::kPending);
  tracker.RecordVote(3, true);
  CHECK(tracker.CountVotes().result == VoteResult::kWon);

  for (const auto& [id, match] :
       std::vector<std::pair<NodeId, LogIndex>>{{1, 9}, {2, 8}, {3, 1}, {4, 7}, {5, 2}, {6, 99}}) {
    tracker.Find(id)->set_match(match);
  }
  CHECK(tracker.Committed() == 2);
  CHECK_FALSE(tracker.QuorumActive());
  for (const NodeId id : std::vector<NodeId>{1, 3, 4}) tracker.Find(id)->set_recent_active(true);
  CHECK(tracker.QuorumActive());
  CHECK_FALSE(tracker.IsOnlyVoter(1));
}

TEST_CASE("a group of more voters than fit on the stack") {
  Tracker tracker(4, 0);
  ConfState state;
  ProgressMap progress;
  for (NodeId id = 1; id <= 11; ++id) {
    state.voters.push_back(id);
    progress.emplace_back(id, 100, Inflights(4, 0)).set_match(id * 10);
  }
  tracker.Replace(state, progress);
  CHECK(tracker.Committed() == 60);
}

}  // namespace
}  // namespace raft

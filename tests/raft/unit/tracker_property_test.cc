#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "raft/src/tracker/tracker.h"
#include "tests/raft/unit/program.h"

namespace raft {
namespace {

using testing::Program;

constexpr NodeId kNodes = 9;

/// Some of the ids from 1 to kNodes, ascending; at least one.
std::vector<NodeId> SomeNodes(Program& program) {
  std::vector<NodeId> ids;
  for (NodeId id = 1; id <= kNodes; ++id) {
    if (program.Flag()) ids.push_back(id);
  }
  if (ids.empty()) ids.push_back(1);
  return ids;
}

/// Each node is a member: who is in no half is a learner.
Tracker SomeTracker(Program& program) {
  ConfState members;
  members.voters = SomeNodes(program);
  if (program.Flag()) members.voters_outgoing = SomeNodes(program);
  ProgressMap progress;
  for (NodeId id = 1; id <= kNodes; ++id) {
    Progress& added = progress.emplace_back(id, 100, Inflights(4, 0));
    if (Contains(members.voters, id) || Contains(members.voters_outgoing, id)) continue;
    members.learners.push_back(id);
    added.set_is_learner(true);
  }
  Tracker tracker(4, 0);
  tracker.Replace(std::move(members), std::move(progress));
  return tracker;
}

/// By definition: more than half of each half there is.
template <class Says>
bool JointMajority(const ConfState& members, const Says& says) {
  for (const auto* half : {&members.voters, &members.voters_outgoing}) {
    const auto yes = std::count_if(half->begin(), half->end(), says);
    if (!half->empty() && static_cast<size_t>(yes) <= half->size() / 2) return false;
  }
  return true;
}

TEST_CASE("what is committed is the highest index that both halves have") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Tracker tracker = SomeTracker(program);
    std::map<NodeId, LogIndex> match;
    LogIndex highest = 0;
    for (Progress& progress : tracker.progress()) {
      match[progress.id()] = program.Below(12);
      progress.set_match(match[progress.id()]);
      progress.set_recent_active(program.Flag());
    }
    for (LogIndex index = 1; index < 12; ++index) {
      if (JointMajority(tracker.membership(), [&](NodeId id) { return match[id] >= index; })) {
        highest = index;
      }
    }
    RC_ASSERT(tracker.Committed() == highest);
    const auto active = [&](NodeId id) { return tracker.Find(id)->recent_active(); };
    RC_ASSERT(tracker.QuorumActive() == JointMajority(tracker.membership(), active));
  }));
}

TEST_CASE("a vote is decided once no further answer can turn it") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Tracker tracker = SomeTracker(program);
    std::map<NodeId, bool> votes;
    for (uint64_t count = program.Below(15); count > 0; --count) {
      const NodeId id = program.Between(1, kNodes + 2);  // A stranger's counts for nothing.
      const bool granted = program.Flag();
      tracker.RecordVote(id, granted);
      if (id <= kNodes) votes.emplace(id, granted);
    }
    const auto wins = [&](bool what_the_others_say) {
      return JointMajority(tracker.membership(), [&](NodeId id) {
        return votes.contains(id) ? votes[id] : what_the_others_say;
      });
    };
    const VoteResult expected = wins(false)   ? VoteResult::kWon
                                : !wins(true) ? VoteResult::kLost
                                              : VoteResult::kPending;
    const Tracker::Tally tally = tracker.CountVotes();
    RC_ASSERT(tally.result == expected);
    size_t granted = 0;
    size_t rejected = 0;
    for (const auto& [id, yes] : votes) {
      if (tracker.IsVoter(id)) ++(yes ? granted : rejected);
    }
    RC_ASSERT(tally.granted == granted);
    RC_ASSERT(tally.rejected == rejected);
    tracker.ResetVotes();
    RC_ASSERT(tracker.CountVotes().result == VoteResult::kPending);
  }));
}

/// A member's progress, and beside it what was sent and not answered.
class Member {
 public:
  explicit Member(Program& program)
      : program_(program),
        window_(program.Between(1, 5)),
        window_bytes_(program.Flag() ? 0 : program.Between(1, 30)),
        progress_(1, program.Between(1, 5), Inflights(window_, window_bytes_)) {}

  void Step() {
    switch (program_.Below(11)) {
      case 0:
      case 1:
      case 2:
        return Send();
      case 3:
      case 4:
        return Accept();
      case 5:
        return Refuse();
      case 6:  // An answer to a heartbeat.
        progress_.ResumeFlow();
        waits_ = false;
        return;
      case 7:  // It cannot be reached.
        if (progress_.state() == ProgressState::kReplicate) BecomeProbe();
        return;
      case 8:
        return SendSnapshot();
      case 9:
        return EndSnapshot();
      default:
        if (program_.Below(4) == 1) Reset();
    }
  }

  void Check() const {
    RC_ASSERT(progress_.match() == match_);
    RC_ASSERT(progress_.match() < progress_.next());
    uint64_t bytes = 0;
    for (const auto& [end, size] : window_content_) bytes += size;
    const bool full =
        window_content_.size() == window_ || (window_bytes_ != 0 && bytes >= window_bytes_);
    RC_ASSERT(progress_.inflights().count() == window_content_.size());
    RC_ASSERT(progress_.inflights().bytes() == bytes);
    RC_ASSERT(progress_.inflights().full() == full);
    switch (progress_.state()) {
      case ProgressState::kProbe:
        RC_ASSERT(window_content_.empty());
        RC_ASSERT(progress_.paused() == waits_);
        break;
      case ProgressState::kReplicate:
        // What is under way ends where the next append begins.
        if (window_content_.empty()) break;  // RC_ASSERT looks at both sides of an ||.
        RC_ASSERT(window_content_.back().first == progress_.next() - 1);
        break;
      case ProgressState::kSnapshot:
        RC_ASSERT(window_content_.empty());
        RC_ASSERT(progress_.paused());
        // A late refusal may move it back, to no effect: nothing is sent, and at the end it is set anew.
        RC_ASSERT(progress_.next() <= std::max(progress_.pending_snapshot(), match_) + 1);
        break;
    }
    RC_ASSERT((progress_.pending_snapshot() != 0) ==
              (progress_.state() == ProgressState::kSnapshot));
    // Nobody is told to commit what was not sent to him.
    for (LogIndex commit = 0; commit <= progress_.next() + 1; ++commit) {
      const bool useful = commit > told_ && told_ + 1 < progress_.next();
      RC_ASSERT(progress_.CanBumpCommit(commit) == useful);
    }
  }

 private:
  // As a leader does: nothing while paused; an empty append may be wanted with a full window.
  void Send() {
    if (progress_.paused()) return;
    const bool full =
        progress_.state() == ProgressState::kReplicate && progress_.inflights().full();
    const uint64_t count = full ? 0 : program_.Below(4);
    const uint64_t bytes = count * program_.Below(12);
    const LogIndex next = progress_.next();
    RC_ASSERT(progress_.SentEntries(count, bytes));
    const LogIndex commit = program_.Below(next + 3);
    progress_.SentCommit(commit);
    told_ = commit;
    if (progress_.state() == ProgressState::kProbe) {
      RC_ASSERT(progress_.next() == next);
      waits_ = count > 0;
    } else {
      RC_ASSERT(progress_.next() == next + count);
      if (count > 0) window_content_.emplace_back(next + count - 1, bytes);
      RC_ASSERT(progress_.paused() == progress_.inflights().full());
    }
  }

  void Accept() {
    const LogIndex index = program_.Below(progress_.next() + 3);
    const bool probed = progress_.state() == ProgressState::kProbe && index == match_;
    const LogIndex next = progress_.next();
    const bool news = progress_.MaybeUpdate(index);
    RC_ASSERT(news == (index > match_));
    if (news) {
      match_ = index;
      waits_ = false;
      RC_ASSERT(progress_.next() == std::max(next, index + 1));
    }
    if (!news && !probed) return;
    if (progress_.state() == ProgressState::kReplicate) {
      progress_.FreeInflightsTo(index);
      while (!window_content_.empty() && window_content_.front().first <= index) {
        window_content_.pop_front();
      }
      return;
    }
    if (progress_.state() == ProgressState::kSnapshot && program_.Flag()) return;
    progress_.BecomeReplicate();
    RC_ASSERT(progress_.next() == match_ + 1);
    window_content_.clear();
    waits_ = false;
  }

  void Refuse() {
    const LogIndex rejected =
        program_.Flag() ? progress_.next() - 1 : program_.Below(progress_.next() + 2);
    const LogIndex hint = program_.Below(progress_.next() + 2);
    const LogIndex next = progress_.next();
    const bool replicates = progress_.state() == ProgressState::kReplicate;
    const bool genuine = replicates ? rejected > match_ : rejected == next - 1;
    RC_ASSERT(progress_.MaybeDecreaseTo(rejected, hint) == genuine);
    if (!genuine) {
      RC_ASSERT(progress_.next() == next);
      return;
    }
    const LogIndex back = replicates ? 0 : std::min(rejected, hint + 1);
    RC_ASSERT(progress_.next() == std::max(back, match_ + 1));
    told_ = std::min(told_, progress_.next() - 1);
    if (replicates) BecomeProbe();
    waits_ = false;
  }

  void SendSnapshot() {
    if (progress_.paused() || !program_.Flag()) return;
    const LogIndex index = match_ + program_.Between(1, 6);
    progress_.BecomeSnapshot(index);
    RC_ASSERT(progress_.pending_snapshot() == index);
    window_content_.clear();
    told_ = index;
  }

  void EndSnapshot() {
    if (progress_.state() != ProgressState::kSnapshot) return;
    const LogIndex index = progress_.pending_snapshot();
    const bool failed = program_.Flag();
    if (failed) progress_.ForgetPendingSnapshot();
    BecomeProbe();
    RC_ASSERT(progress_.next() == (failed ? match_ : std::max(match_, index)) + 1);
    progress_.PauseFlow();
    waits_ = true;
  }

  void Reset() {
    const LogIndex last = std::max(match_, program_.Below(20));
    const bool is_self = program_.Flag();
    progress_.Reset(last, is_self);
    match_ = is_self ? last : 0;
    RC_ASSERT(progress_.state() == ProgressState::kProbe);
    RC_ASSERT(progress_.next() == last + 1);
    RC_ASSERT_FALSE(progress_.recent_active());
    window_content_.clear();
    waits_ = false;
    told_ = 0;
  }

  void BecomeProbe() {
    progress_.BecomeProbe();
    window_content_.clear();
    waits_ = false;
    told_ = std::min(told_, progress_.next() - 1);
  }

  Program& program_;
  uint64_t window_;
  uint64_t window_bytes_;
  Progress progress_;
  LogIndex match_ = 0;
  LogIndex told_ = 0;   // The commit index it was told last.
  bool waits_ = false;  // For an answer, before the next append.
  std::deque<std::pair<LogIndex, uint64_t>> window_content_;
};

TEST_CASE("whatever a member answers, its progress stays in order") {
  CHECK(rc::check([] {
    Program program = Program::Draw();
    Member member(program);
    while (!program.done()) {
      member.Step();
      member.Check();
    }
  }));
}

}  // namespace
}  // namespace raft

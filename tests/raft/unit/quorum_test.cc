#include "raft/src/quorum/quorum.h"

#include <algorithm>
#include <set>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace raft {
namespace {

// By definition: the highest index that more than half have.
LogIndex DumbCommitted(const std::vector<LogIndex>& acked) {
  if (acked.empty()) return kNoLimit;
  LogIndex best = 0;
  for (const LogIndex index : acked) {
    const auto have = std::count_if(acked.begin(), acked.end(),
                                    [index](LogIndex other) { return other >= index; });
    if (static_cast<size_t>(have) > acked.size() / 2) best = std::max(best, index);
  }
  return best;
}

TEST_CASE("the committed index is what a majority has") {
  CHECK(rc::check([](const std::vector<uint8_t>& numbers) {
    std::vector<LogIndex> acked(numbers.begin(), numbers.end());
    const LogIndex expected = DumbCommitted(acked);
    return MajorityCommitted(acked) == expected;
  }));
}

TEST_CASE("votes of a majority") {
  struct Case {
    size_t voters, yes, no;
    VoteResult result;
  };
  const VoteResult won = VoteResult::kWon;
  const VoteResult lost = VoteResult::kLost;
  const VoteResult pending = VoteResult::kPending;
  for (const Case& c : std::vector<Case>{{0, 0, 0, won},
                                         {1, 0, 0, pending},
                                         {1, 1, 0, won},
                                         {1, 0, 1, lost},
                                         {2, 1, 0, pending},
                                         {2, 0, 1, lost},
                                         {3, 1, 1, pending},
                                         {3, 2, 0, won},
                                         {3, 0, 2, lost},
                                         {4, 2, 1, pending},
                                         {4, 2, 2, lost},
                                         {5, 3, 2, won}}) {
    INFO(c.voters << " voters, " << c.yes << " yes, " << c.no << " no");
    CHECK(MajorityVote(c.voters, c.yes, c.no) == c.result);
  }
  CHECK(JointVote(won, won) == won);
  CHECK(JointVote(won, pending) == pending);
  CHECK(JointVote(lost, pending) == lost);
  CHECK(JointVote(won, lost) == lost);
}

TEST_CASE("a group commit needs a majority and two groups") {
  CHECK(rc::check([](const std::vector<std::pair<uint8_t, uint8_t>>& drawn) {
    std::vector<GroupAck> acks;
    std::vector<LogIndex> indexes;
    for (const auto& [index, group] : drawn) {
      acks.push_back({index, 1u + group % 3u});
      indexes.push_back(index);
    }
    const std::vector<GroupAck> before = acks;
    const GroupCommit commit = GroupCommitted(acks);
    const LogIndex majority = DumbCommitted(indexes);
    RC_ASSERT(commit.index <= majority);
    std::set<uint64_t> groups;
    for (const GroupAck& ack : before) {
      if (ack.index >= commit.index) groups.insert(ack.group);
    }
    RC_ASSERT(before.empty() || commit.by_groups == (groups.size() > 1 || commit.index < majority));
    if (!commit.by_groups) RC_ASSERT(commit.index == majority);
  }));
}

}  // namespace
}  // namespace raft

#include "raft/src/quorum/quorum.h"

#include <algorithm>

namespace raft {
namespace {

// So few are counted faster than they are sorted, as that takes no branch which depends on the numbers.
constexpr size_t kCountedMax = 7;

// The highest of the numbers that at least `quorum` of them have reached.
LogIndex HighestReached(std::span<const LogIndex> acked, size_t quorum) {
  LogIndex highest = 0;
  for (const LogIndex index : acked) {
    size_t reached = 0;
    for (const LogIndex other : acked) reached += other >= index ? 1 : 0;
    highest = std::max(highest, reached >= quorum ? index : 0);
  }
  return highest;
}

}  // namespace

LogIndex MajorityCommitted(std::span<LogIndex> acked) {
  if (acked.empty()) return kNoLimit;
  if (acked.size() <= kCountedMax) return HighestReached(acked, acked.size() / 2 + 1);
  // Sorted ascending, the element at n - (n/2 + 1) is reached by a majority: itself and all above.
  const size_t rank = acked.size() - (acked.size() / 2 + 1);
  const auto nth = acked.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(acked.begin(), nth, acked.end());
  return *nth;
}

VoteResult MajorityVote(size_t voters, size_t yes, size_t no) {
  if (voters == 0) return VoteResult::kWon;
  const size_t quorum = voters / 2 + 1;
  if (yes >= quorum) return VoteResult::kWon;
  return voters - no >= quorum ? VoteResult::kPending : VoteResult::kLost;
}

VoteResult JointVote(VoteResult incoming, VoteResult outgoing) {
  if (incoming == outgoing) return incoming;
  const bool lost = incoming == VoteResult::kLost || outgoing == VoteResult::kLost;
  return lost ? VoteResult::kLost : VoteResult::kPending;
}

GroupCommit GroupCommitted(std::span<GroupAck> acks) {
  if (acks.empty()) return {kNoLimit, true};
  std::stable_sort(acks.begin(), acks.end(),
                   [](const GroupAck& a, const GroupAck& b) { return a.index > b.index; });
  const GroupAck& majority = acks[acks.size() / 2];
  uint64_t group = majority.group;
  bool all_grouped = true;
  for (const GroupAck& ack : acks) {
    if (ack.group == 0) {
      all_grouped = false;
    } else if (group == 0) {
      group = ack.group;
    } else if (group != ack.group) {
      return {std::min(ack.index, majority.index), true};
    }
  }
  return {all_grouped ? majority.index : acks.back().index, false};
}

GroupCommit JointGroupCommit(const GroupCommit& incoming, const GroupCommit& outgoing) {
  return {std::min(incoming.index, outgoing.index), incoming.by_groups && outgoing.by_groups};
}

}  // namespace raft

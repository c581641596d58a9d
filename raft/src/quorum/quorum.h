#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "raft/types.h"

namespace raft {

enum class VoteResult : uint8_t { kPending, kLost, kWon };

/// The highest index that a majority of voters has acknowledged. `acked` holds one number for each
/// voter, 0 for one not heard of; it may be reordered. No voters at all: kNoLimit, so that an empty
/// half of a joint configuration never holds the other back.
LogIndex MajorityCommitted(std::span<LogIndex> acked);

/// How a vote stands with `voters` voters, of whom some said yes or no. No voters: won.
VoteResult MajorityVote(size_t voters, size_t yes, size_t no);

/// How a vote stands that both halves of a joint configuration must win.
VoteResult JointVote(VoteResult incoming, VoteResult outgoing);

/// What a voter acknowledged, and the group (a failure domain, say) it is in; 0: in none.
struct GroupAck {
  LogIndex index = 0;
  uint64_t group = 0;
};

struct GroupCommit {
  LogIndex index = 0;
  bool by_groups = false;  ///< Two groups have it.
};

/// As MajorityCommitted, but the entry must also be in two different groups. If all voters are in
/// one group the majority decides alone; if some are in none and no second group is found, only
/// what all voters have is committed. This is the rule of TiKV's Raft for replication across two
/// sites.
GroupCommit GroupCommitted(std::span<GroupAck> acks);

/// What both halves of a joint configuration have.
GroupCommit JointGroupCommit(const GroupCommit& incoming, const GroupCommit& outgoing);

}  // namespace raft

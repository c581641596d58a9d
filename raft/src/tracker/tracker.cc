#include "raft/src/tracker/tracker.h"

#include <algorithm>

namespace raft {
namespace {

template <class Map>
auto Position(Map& progress, NodeId id) {
  return std::lower_bound(progress.begin(), progress.end(), id,
                          [](const Progress& p, NodeId wanted) { return p.id() < wanted; });
}

}  // namespace

Progress* FindProgress(ProgressMap& progress, NodeId id) {
  const auto at = Position(progress, id);
  return at != progress.end() && at->id() == id ? &*at : nullptr;
}

bool Contains(std::span<const NodeId> ids, NodeId id) {
  return std::binary_search(ids.begin(), ids.end(), id);
}

bool Insert(std::vector<NodeId>& ids, NodeId id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at != ids.end() && *at == id) return false;
  ids.insert(at, id);
  return true;
}

bool Erase(std::vector<NodeId>& ids, NodeId id) {
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id) return false;
  ids.erase(at);
  return true;
}

const Progress* Tracker::Find(NodeId id) const {
  const auto at = Position(progress_, id);
  return at != progress_.end() && at->id() == id ? &*at : nullptr;
}

bool Tracker::IsVoter(NodeId id) const {
  return Contains(membership_.voters, id) || Contains(membership_.voters_outgoing, id);
}

bool Tracker::IsOnlyVoter(NodeId id) const {
  return !joint() && membership_.voters.size() == 1 && membership_.voters.front() == id;
}

std::vector<NodeId> Tracker::Voters() const {
  std::vector<NodeId> all;
  std::set_union(membership_.voters.begin(), membership_.voters.end(),
                 membership_.voters_outgoing.begin(), membership_.voters_outgoing.end(),
                 std::back_inserter(all));
  return all;
}

LogIndex Tracker::Committed() const {
  if (group_commit_) return CommittedByGroups().index;
  // Both lists ascend: a walk along them finds faster than searches.
  auto at = progress_.begin();
  return QuorumOf([this, &at](NodeId id) -> LogIndex {
    if (at == progress_.end() || at->id() > id) at = progress_.begin();
    while (at != progress_.end() && at->id() < id) ++at;
    return at != progress_.end() && at->id() == id ? at->match() : 0;
  });
}

GroupCommit Tracker::CommittedByGroups() const {
  if (!group_commit_) return {Committed(), false};
  return JointGroupCommit(HalfByGroups(membership_.voters),
                          HalfByGroups(membership_.voters_outgoing));
}

GroupCommit Tracker::HalfByGroups(const std::vector<NodeId>& voters) const {
  std::vector<GroupAck> acks;
  acks.reserve(voters.size());
  for (const NodeId id : voters) {
    const Progress* progress = Find(id);
    acks.push_back(progress == nullptr ? GroupAck{}
                                       : GroupAck{progress->match(), progress->commit_group()});
  }
  return GroupCommitted(acks);
}

template <class Said>
VoteResult Tracker::JointResult(const Said& said) const {
  const auto half = [&said](const std::vector<NodeId>& voters) {
    size_t yes = 0;
    size_t no = 0;
    for (const NodeId id : voters) {
      const std::optional<bool> answer = said(id);
      if (answer) ++(*answer ? yes : no);
    }
    return MajorityVote(voters.size(), yes, no);
  };
  return JointVote(half(membership_.voters), half(membership_.voters_outgoing));
}

bool Tracker::QuorumActive() const {
  const auto active = [this](NodeId id) -> std::optional<bool> {
    const Progress* progress = Find(id);
    return progress != nullptr && progress->recent_active();
  };
  return JointResult(active) == VoteResult::kWon;
}

std::optional<bool> Tracker::VoteOf(NodeId id) const {
  for (const auto& [voter, granted] : votes_) {
    if (voter == id) return granted;
  }
  return std::nullopt;
}

void Tracker::RecordVote(NodeId id, bool granted) {
  // Answers of strangers count for nothing and must not pile up.
  if (Find(id) != nullptr && !VoteOf(id)) votes_.emplace_back(id, granted);
}

Tracker::Tally Tracker::CountVotes() const {
  Tally tally;
  for (const auto& [id, granted] : votes_) {
    const Progress* progress = Find(id);
    if (progress == nullptr || progress->is_learner()) continue;
    ++(granted ? tally.granted : tally.rejected);
  }
  tally.result = JointResult([this](NodeId id) { return VoteOf(id); });
  return tally;
}

}  // namespace raft

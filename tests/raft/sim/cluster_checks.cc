#include <algorithm>

#include <fmt/format.h>

#include "tests/raft/sim/cluster.h"

namespace raft::sim {
namespace {

constexpr int kGiveWayRounds = 600;

}  // namespace

void Cluster::Require(bool holds, const std::string& what) const {
  if (!holds) throw Broken{fmt::format("{} (step {}, {})", what, step_, plan_.Describe())};
}

void Cluster::CheckAll() {
  for (Node& node : nodes_) CheckNode(node);
  if (step_ % 16 == 0) CheckMemberships();
  if (step_ % 64 == 0) CheckLogs();
}

void Cluster::CheckNode(Node& node) {
  if (node.raw == nullptr) return;
  const BasicStatus status = node.raw->GetBasicStatus();
  const Term term = status.hard_state.term;
  Require(term >= node.term_seen || term >= node.durable.hard_state.term, "a term went back");
  node.term_seen = term;
  if (status.soft_state.role != Role::kLeader) return;
  const auto [known, first] = leaders_.try_emplace(term, node.id);
  if (first) applied_before_[term] = AppliedAnywhere();
  Require(first || known->second == node.id,
          fmt::format("term {} has leaders {} and {}", term, known->second, node.id));
}

void Cluster::CheckVote(const Message& message) {
  if (message.type != MessageType::kVoteResp || message.reject) return;
  const auto [known, first] = votes_.try_emplace({message.term, message.from}, message.to);
  Require(first || known->second == message.to,
          fmt::format("node {} votes twice in term {}", message.from, message.term));
}

// A leader's first own entry comes behind all that was applied before it was elected, and what it sends
// of that is what was applied.
void Cluster::CheckCompleteness(const Message& append) {
  const auto before = applied_before_.find(append.term);
  if (before == applied_before_.end()) return;
  const auto same = [this, &append](LogIndex index, Term term) {
    const auto known = applied_.find(index);
    Require(known == applied_.end() || known->second.term == term,
            fmt::format("the leader of term {} has an entry of term {} at {}, another was applied",
                        append.term, term, index));
  };
  if (append.index <= before->second) same(append.index, append.log_term);
  for (const Entry& entry : append.entries) {
    if (entry.index <= before->second) same(entry.index, entry.term);
  }
}

const ConfState& Cluster::MembershipAt(LogIndex index) const {
  return std::prev(memberships_.upper_bound(index))->second;
}

void Cluster::CheckSameMembership(LogIndex index, const Node& node) {
  const auto [known, first] = memberships_.try_emplace(index, node.members);
  Require(first || Equivalent(known->second, node.members),
          fmt::format("node {} has another membership at {}", node.id, index));
}

// A node that has applied all it knows to be committed decides by the membership as of there. Before
// that, a snapshot under way may have brought it another one.
void Cluster::CheckMemberships() {
  for (const Node& node : nodes_) {
    if (node.raw == nullptr) continue;
    if (node.raw->GetBasicStatus().hard_state.commit > node.applied) continue;
    Require(Equivalent(node.raw->GetStatus().config, MembershipAt(node.applied)),
            fmt::format("node {} has another membership in force at {}", node.id, node.applied));
  }
}

void Cluster::CheckReads(const std::vector<ReadState>& reads) {
  for (const ReadState& read : reads) {
    ++reads_confirmed_;
    const auto asked = asked_reads_.find(Decoded(read.context));
    Require(asked != asked_reads_.end(), "an answer to a read nobody asked");
    Require(read.index >= asked->second,
            fmt::format("a read sees {}, {} was applied before", read.index, asked->second));
  }
}

void Cluster::CheckLogs() {
  std::map<std::pair<LogIndex, Term>, std::pair<Term, std::string>> entries;
  for (Node& node : nodes_) {
    Term before = *node.storage->GetTerm(node.storage->FirstIndex() - 1);
    bool previous_known = node.storage->FirstIndex() > 1;
    for (const Entry& entry : StoredEntries(node)) {
      // Two entries of one index and term are the same, and so are those before them: then, one
      // after the other, so is all before.
      const auto value = std::make_pair(before, std::string(entry.data.view()));
      const auto [known, first] = entries.try_emplace({entry.index, entry.term}, value);
      Require(first || known->second.second == value.second,
              fmt::format("logs differ at {} of term {}", entry.index, entry.term));
      Require(first || !previous_known || known->second.first == before,
              fmt::format("logs differ before {} of term {}", entry.index, entry.term));
      before = entry.term;
      previous_known = true;
    }
  }
}

// Whom nobody's answers reach cannot commit, but its heartbeats keep the others from electing. With
// check_quorum it gives way to those who hear each other.
void Cluster::CheckGivesWay(const Node& deaf) {
  if (deaf.members.voters.size() < 3) return;
  const LogIndex before = AppliedAnywhere();
  Cut([&deaf](NodeId, NodeId to) { return to == deaf.id; });
  for (int round = 0; round < kGiveWayRounds; ++round) {
    Round(Among::kMembers);
    if (AppliedAnywhere() > before) return;
  }
  Require(false, "a leader that hears nobody does not give way");
}

}  // namespace raft::sim

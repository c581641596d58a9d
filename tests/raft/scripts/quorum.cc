#include "raft/src/quorum/quorum.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "tests/raft/scripts/interaction.h"

namespace raft::scripts {
namespace {

using datadriven::Argument;
using datadriven::BadScript;
using datadriven::ParseNumber;
using datadriven::Stanza;

using Ids = std::set<NodeId>;
using Acked = std::map<NodeId, LogIndex>;  // Without the voters nothing is known of.
using Votes = std::map<NodeId, bool>;

// A stanza's arguments.
struct Question {
  Ids incoming;
  Ids outgoing;
  bool joint = false;
  std::vector<NodeId> order;  // Of the voters, as they are given.
  std::vector<LogIndex> indexes;
  std::vector<uint64_t> votes;  // 2: yes, 1: no, 0: none.
  std::vector<uint64_t> groups;

  Ids All() const {
    Ids all = incoming;
    all.insert(outgoing.begin(), outgoing.end());
    return all;
  }
};

void ReadIds(const Argument& argument, Ids& ids, std::vector<NodeId>& order) {
  for (const std::string& value : argument.values) {
    const NodeId id = ParseNumber(value);
    ids.insert(id);
    if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
  }
}

uint64_t ReadVote(const std::string& value) {
  if (value == "y") return 2;
  if (value == "n") return 1;
  if (value == "_") return 0;
  throw BadScript("unknown vote " + value);
}

uint64_t ReadKnown(const std::string& value) {
  if (value == "_") return 0;
  const uint64_t number = ParseNumber(value);
  if (number == 0) throw BadScript("use '_' for 0");
  return number;
}

Question Read(const Stanza& stanza) {
  Question question;
  for (const Argument& argument : stanza.arguments) {
    if (argument.key == "cfg") ReadIds(argument, question.incoming, question.order);
    if (argument.key == "cfgj") {
      question.joint = true;
      const bool zero = argument.values == std::vector<std::string>{"zero"};
      if (!zero) ReadIds(argument, question.outgoing, question.order);
    }
    for (const std::string& value : argument.values) {
      if (argument.key == "idx") question.indexes.push_back(ReadKnown(value));
      if (argument.key == "gid") question.groups.push_back(ReadKnown(value));
      if (argument.key == "votes") question.votes.push_back(ReadVote(value));
    }
  }
  // cfg comes before cfgj whatever their order in the directive.
  std::stable_partition(question.order.begin(), question.order.end(),
                        [&](NodeId id) { return question.incoming.count(id) > 0; });
  return question;
}

std::string ShowIndex(LogIndex index) {
  return index == kNoLimit ? "\u221e" : fmt::format("{}", index);
}

std::string ShowVote(VoteResult result) {
  if (result == VoteResult::kWon) return "VoteWon";
  return result == VoteResult::kLost ? "VoteLost" : "VotePending";
}

std::string MismatchText(const Ids& voters, const std::vector<uint64_t>& values) {
  std::string set;
  for (const NodeId id : voters) set += fmt::format("{}{}:{{}}", set.empty() ? "" : " ", id);
  std::string list;
  for (const uint64_t value : values) {
    list += fmt::format("{}{}", list.empty() ? "" : " ", ShowIndex(value));
  }
  return fmt::format("error: mismatched input (explicit or _) for voters map[{}]: [{}]", set, list);
}

LogIndex Committed(const Ids& voters, const Acked& acked) {
  std::vector<LogIndex> indexes;
  for (const NodeId id : voters) indexes.push_back(acked.count(id) > 0 ? acked.at(id) : 0);
  return MajorityCommitted(indexes);
}

LogIndex JointCommitted(const Ids& incoming, const Ids& outgoing, const Acked& acked) {
  return std::min(Committed(incoming, acked), Committed(outgoing, acked));
}

// By definition: the highest index that more than half of the voters have.
LogIndex AlternativeCommitted(const Ids& voters, const Acked& acked) {
  if (voters.empty()) return kNoLimit;
  LogIndex best = 0;
  for (const auto& [id, index] : acked) {
    if (voters.count(id) == 0) continue;
    const auto have = std::count_if(voters.begin(), voters.end(), [&](NodeId other) {
      return acked.count(other) > 0 && acked.at(other) >= index;
    });
    if (static_cast<size_t>(have) > voters.size() / 2) best = std::max(best, index);
  }
  return best;
}

std::string DescribeVoters(const Ids& voters, const Acked& acked, Dialect dialect) {
  if (voters.empty()) return "<empty majority quorum>";
  std::vector<std::pair<LogIndex, NodeId>> sorted;
  for (const NodeId id : voters) sorted.emplace_back(acked.count(id) > 0 ? acked.at(id) : 0, id);
  std::sort(sorted.begin(), sorted.end());
  std::map<NodeId, size_t> bars;
  for (size_t i = 1; i < sorted.size(); ++i) {
    const bool larger = sorted[i].first > sorted[i - 1].first;
    const size_t tied = dialect == Dialect::kEtcd ? bars[sorted[i - 1].second] : 0;
    bars[sorted[i].second] = larger ? i : tied;
  }
  const size_t n = voters.size();
  std::string text = std::string(n, ' ') + "    idx\n";
  for (const NodeId id : voters) {
    const bool known = acked.count(id) > 0;
    const size_t bar = bars[id];
    text +=
        known ? std::string(bar, 'x') + ">" + std::string(n - bar, ' ') : "?" + std::string(n, ' ');
    const std::string shown =
        dialect == Dialect::kEtcd ? fmt::format("{:x}", id) : fmt::format("{}", id);
    text += fmt::format(" {:5}    (id={})\n", known ? acked.at(id) : 0, shown);
  }
  return text;
}

// A voter that is behind what is committed may be anywhere behind it.
std::string CheckOverlays(const Ids& voters, const Acked& acked, LogIndex committed) {
  std::string text;
  for (const auto& [id, index] : acked) {
    if (voters.count(id) == 0 || index >= committed) continue;
    for (const LogIndex lowered : {index - 1, LogIndex{0}}) {
      Acked changed = acked;
      changed[id] = lowered;
      const LogIndex other = Committed(voters, changed);
      if (other != committed) {
        text += fmt::format("{} <-- overlaying {}->{}\n", ShowIndex(other), id, lowered);
      }
    }
  }
  return text;
}

std::string CommittedOutput(const Question& question, Dialect dialect) {
  Acked acked;
  for (size_t i = 0; i < question.order.size(); ++i) {
    if (question.indexes[i] != 0) acked[question.order[i]] = question.indexes[i];
  }
  std::string text = DescribeVoters(question.All(), acked, dialect);
  const LogIndex committed = JointCommitted(question.incoming, question.outgoing, acked);
  const auto check = [&](LogIndex other, const char* how) {
    if (other != committed) text += fmt::format("{} <-- via {}\n", ShowIndex(other), how);
  };
  if (question.joint) {
    check(JointCommitted(question.outgoing, question.incoming, acked), "symmetry");
  } else {
    check(AlternativeCommitted(question.incoming, acked), "alternative computation");
    check(JointCommitted(question.incoming, {}, acked), "zero-joint quorum");
    check(JointCommitted(question.incoming, question.incoming, acked), "self-joint quorum");
    text += CheckOverlays(question.incoming, acked, committed);
  }
  return text + ShowIndex(committed) + "\n";
}

VoteResult HalfVote(const Ids& voters, const Votes& votes) {
  size_t yes = 0;
  size_t no = 0;
  for (const NodeId id : voters) {
    const auto vote = votes.find(id);
    if (vote != votes.end()) ++(vote->second ? yes : no);
  }
  return MajorityVote(voters.size(), yes, no);
}

std::string VoteOutput(const Question& question) {
  Votes votes;
  for (size_t i = 0; i < question.order.size(); ++i) {
    if (question.votes[i] != 0) votes[question.order[i]] = question.votes[i] == 2;
  }
  const VoteResult incoming = HalfVote(question.incoming, votes);
  if (!question.joint) return ShowVote(incoming) + "\n";
  const VoteResult outgoing = HalfVote(question.outgoing, votes);
  const VoteResult result = JointVote(incoming, outgoing);
  const VoteResult swapped = JointVote(outgoing, incoming);
  std::string text;
  if (swapped != result) text = ShowVote(swapped) + " <-- via symmetry\n";
  return text + ShowVote(result) + "\n";
}

GroupCommit HalfGroups(const Question& question, const Ids& voters) {
  std::vector<GroupAck> acks;
  for (size_t i = 0; i < question.order.size(); ++i) {
    if (voters.count(question.order[i]) == 0) continue;
    acks.push_back({question.indexes[i], i < question.groups.size() ? question.groups[i] : 0});
  }
  return GroupCommitted(acks);
}

std::string GroupOutput(const Question& question) {
  if (!question.joint) throw BadScript("group_committed wants cfgj");
  const GroupCommit incoming = HalfGroups(question, question.incoming);
  const GroupCommit outgoing = HalfGroups(question, question.outgoing);
  return ShowIndex(JointGroupCommit(incoming, outgoing).index) + "\n";
}

}  // namespace

datadriven::Handler QuorumHandler(Dialect dialect) {
  return [dialect](const Stanza& stanza) -> std::string {
    const Question question = Read(stanza);
    const auto& values = stanza.command == "vote" ? question.votes : question.indexes;
    if (values.size() != question.order.size()) return MismatchText(question.All(), values);
    if (stanza.command == "vote") return VoteOutput(question);
    if (stanza.command == "committed") return CommittedOutput(question, dialect);
    if (stanza.command == "group_committed") return GroupOutput(question);
    throw BadScript("unknown command " + stanza.command);
  };
}

}  // namespace raft::scripts

#include "raft/describe.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace raft {
namespace {

std::string Target(NodeId id) {
  if (id == kNoNode) return "None";
  if (id == kAppendThread) return "AppendThread";
  if (id == kApplyThread) return "ApplyThread";
  return fmt::format("{:x}", id);
}

std::string Hex(const std::vector<NodeId>& ids) {
  std::string text = "(";
  for (const NodeId id : ids) text += fmt::format("{}{:x}", text.size() > 1 ? " " : "", id);
  return text + ")";
}

std::string Decimal(const std::vector<NodeId>& ids) {
  std::string text = "[";
  for (const NodeId id : ids) text += fmt::format("{}{}", text.size() > 1 ? " " : "", id);
  return text + "]";
}

std::string PayloadText(const Entry& entry, const DataFormatter& format) {
  if (entry.type == EntryType::kNormal) return format(entry.data.view());
  Result<ConfChangeV2> change = DecodeConfChange(entry);
  return change ? ToTokens(change->changes) : change.error().context;
}

std::string DescribeIndented(const Message& message, const DataFormatter& format,
                             const std::string& indent);

std::string EntriesPart(const Message& message, const DataFormatter& format,
                        const std::string& indent) {
  if (message.entries.empty()) return {};
  if (message.entries.size() == 1) {
    return " Entries:[" + Describe(message.entries.front(), format) + "]";
  }
  std::string text = " Entries:[";
  for (const Entry& entry : message.entries) {
    text += fmt::format("\n{}  {}", indent, Describe(entry, format));
  }
  return text + "\n" + indent + "]";
}

std::string ResponsesPart(const Message& message, const DataFormatter& format,
                          const std::string& indent) {
  if (message.responses.empty()) return {};
  std::string text = " Responses:[";
  for (const Message& response : message.responses) {
    text += "\n" + DescribeIndented(response, format, indent + "  ");
  }
  return text + "\n" + indent + "]";
}

std::string DescribeIndented(const Message& message, const DataFormatter& format,
                             const std::string& indent) {
  std::string text =
      fmt::format("{}{}->{} {} Term:{} Log:{}/{}", indent, Target(message.from), Target(message.to),
                  Name(message.type), message.term, message.log_term, message.index);
  if (message.reject) text += fmt::format(" Rejected (Hint: {})", message.reject_hint);
  if (message.commit != 0) text += fmt::format(" Commit:{}", message.commit);
  if (message.vote != 0) text += fmt::format(" Vote:{}", message.vote);
  text += EntriesPart(message, format, indent);
  if (message.snapshot != nullptr && !message.snapshot->empty()) {
    text += fmt::format("\n{}  Snapshot: {}", indent, Describe(*message.snapshot));
  }
  return text + ResponsesPart(message, format, indent);
}

}  // namespace

std::string_view Name(MessageType type) {
  static constexpr std::array<std::string_view, 24> kNames = {"MsgHup",
                                                              "MsgBeat",
                                                              "MsgProp",
                                                              "MsgApp",
                                                              "MsgAppResp",
                                                              "MsgVote",
                                                              "MsgVoteResp",
                                                              "MsgSnap",
                                                              "MsgHeartbeat",
                                                              "MsgHeartbeatResp",
                                                              "MsgUnreachable",
                                                              "MsgSnapStatus",
                                                              "MsgCheckQuorum",
                                                              "MsgTransferLeader",
                                                              "MsgTimeoutNow",
                                                              "MsgReadIndex",
                                                              "MsgReadIndexResp",
                                                              "MsgPreVote",
                                                              "MsgPreVoteResp",
                                                              "MsgStorageAppend",
                                                              "MsgStorageAppendResp",
                                                              "MsgStorageApply",
                                                              "MsgStorageApplyResp",
                                                              "MsgForgetLeader"};
  const auto at = static_cast<size_t>(type);
  return at < kNames.size() ? kNames[at] : "unknown message";
}

std::string_view Name(EntryType type) {
  switch (type) {
    case EntryType::kNormal:
      return "EntryNormal";
    case EntryType::kConfChange:
      return "EntryConfChange";
    case EntryType::kConfChangeV2:
      return "EntryConfChangeV2";
  }
  return "unknown entry";
}

std::string_view Name(Role role) {
  switch (role) {
    case Role::kFollower:
      return "StateFollower";
    case Role::kCandidate:
      return "StateCandidate";
    case Role::kLeader:
      return "StateLeader";
    case Role::kPreCandidate:
      return "StatePreCandidate";
  }
  return "unknown role";
}

std::string_view Name(ProgressState state) {
  switch (state) {
    case ProgressState::kProbe:
      return "StateProbe";
    case ProgressState::kReplicate:
      return "StateReplicate";
    case ProgressState::kSnapshot:
      return "StateSnapshot";
  }
  return "unknown state";
}

std::string_view Name(ConfChangeType type) {
  switch (type) {
    case ConfChangeType::kAddNode:
      return "ConfChangeAddNode";
    case ConfChangeType::kRemoveNode:
      return "ConfChangeRemoveNode";
    case ConfChangeType::kUpdateNode:
      return "ConfChangeUpdateNode";
    case ConfChangeType::kAddLearnerNode:
      return "ConfChangeAddLearnerNode";
  }
  return "unknown change";
}

std::string_view Name(ConfChangeTransition kind) {
  switch (kind) {
    case ConfChangeTransition::kAuto:
      return "ConfChangeTransitionAuto";
    case ConfChangeTransition::kJointImplicit:
      return "ConfChangeTransitionJointImplicit";
    case ConfChangeTransition::kJointExplicit:
      return "ConfChangeTransitionJointExplicit";
  }
  return "unknown transition";
}

std::string Describe(const HardState& state) {
  std::string text = fmt::format("Term:{}", state.term);
  if (state.vote != kNoNode) text += fmt::format(" Vote:{}", state.vote);
  return text + fmt::format(" Commit:{}", state.commit);
}

std::string Describe(const SoftState& state) {
  return fmt::format("Lead:{} State:{}", state.leader, Name(state.role));
}

std::string Describe(const ConfState& state) {
  return fmt::format("Voters:{} VotersOutgoing:{} Learners:{} LearnersNext:{} AutoLeave:{}",
                     Decimal(state.voters), Decimal(state.voters_outgoing), Decimal(state.learners),
                     Decimal(state.learners_next), state.auto_leave);
}

std::string Describe(const Snapshot& snapshot) {
  const SnapshotMetadata& metadata = snapshot.metadata;
  return fmt::format("Index:{} Term:{} ConfState:{}", metadata.index, metadata.term,
                     Describe(metadata.conf_state));
}

std::string Describe(const ProgressStatus& progress) {
  std::string text =
      fmt::format("{} match={} next={}", Name(progress.state), progress.match, progress.next);
  if (progress.is_learner) text += " learner";
  if (progress.paused) text += " paused";
  if (progress.pending_snapshot > 0) {
    text += fmt::format(" pendingSnap={}", progress.pending_snapshot);
  }
  if (!progress.recent_active) text += " inactive";
  if (progress.inflight_count > 0) {
    text += fmt::format(" inflight={}{}", progress.inflight_count,
                        progress.inflight_full ? "[full]" : "");
  }
  return text;
}

std::string Describe(const Entry& entry, const DataFormatter& format) {
  std::string text = fmt::format("{}/{} {}", entry.term, entry.index, Name(entry.type));
  const std::string payload = PayloadText(entry, format);
  return payload.empty() ? text : text + " " + payload;
}

std::string Describe(const Message& message, const DataFormatter& format) {
  return DescribeIndented(message, format, "");
}

std::string Describe(const Ready& ready, const DataFormatter& format) {
  std::string text;
  if (ready.soft_state) text += Describe(*ready.soft_state) + "\n";
  if (ready.hard_state) text += "HardState " + Describe(*ready.hard_state) + "\n";
  if (!ready.read_states.empty()) {
    text += "ReadStates [";
    for (const ReadState& read : ready.read_states) {
      if (&read != &ready.read_states.front()) text += " ";
      text += fmt::format("{{{} [", read.index);
      for (size_t i = 0; i < read.context.size(); ++i) {
        text += fmt::format("{}{}", i > 0 ? " " : "", static_cast<uint8_t>(read.context.view()[i]));
      }
      text += "]}";
    }
    text += "]\n";
  }
  const auto add_entries = [&](const char* title, const std::vector<Entry>& entries) {
    if (entries.empty()) return;
    text += title;
    for (const Entry& entry : entries) text += Describe(entry, format) + "\n";
  };
  add_entries("Entries:\n", ready.entries);
  if (ready.snapshot != nullptr && !ready.snapshot->empty()) {
    text += "Snapshot " + Describe(*ready.snapshot) + "\n";
  }
  add_entries("CommittedEntries:\n", ready.committed_entries);
  if (!ready.messages.empty()) text += "Messages:\n";
  for (const Message& message : ready.messages) text += Describe(message, format) + "\n";
  if (text.empty()) return "<empty Ready>";
  return fmt::format("Ready MustSync={}:\n{}", ready.must_sync, text);
}

std::string DescribeMembership(const ConfState& state) {
  std::string text = "voters=" + Hex(state.voters);
  if (!state.voters_outgoing.empty()) text += "&&" + Hex(state.voters_outgoing);
  if (!state.learners.empty()) text += " learners=" + Hex(state.learners);
  if (!state.learners_next.empty()) text += " learners_next=" + Hex(state.learners_next);
  if (state.auto_leave) text += " autoleave";
  return text;
}

std::string Describe(const ConfChangeV2& change) {
  std::string text = fmt::format("transition:{}", Name(change.transition));
  for (const ConfChangeSingle& single : change.changes) {
    text += fmt::format(" changes:{{type:{} node_id:{}}}", Name(single.type), single.node_id);
  }
  if (!change.context.empty()) text += " context:" + Quote(change.context.view());
  return text;
}

std::string ToTokens(const std::vector<ConfChangeSingle>& changes) {
  static constexpr std::string_view kLetters = "vrul";  // By the value of ConfChangeType.
  std::string text;
  for (const ConfChangeSingle& change : changes) {
    text +=
        fmt::format("{}{}{}", text.empty() ? "" : " ",
                    kLetters[static_cast<size_t>(change.type) % kLetters.size()], change.node_id);
  }
  return text;
}

Result<std::vector<ConfChangeSingle>> FromTokens(std::string_view tokens) {
  static constexpr std::string_view kLetters = "vrul";
  std::vector<ConfChangeSingle> changes;
  while (!tokens.empty()) {
    const std::string_view token = tokens.substr(0, tokens.find(' '));
    tokens.remove_prefix(std::min(tokens.size(), token.size() + 1));
    if (token.size() < 2) return Fail(ErrorCode::kDecode, fmt::format("unknown token {}", token));
    const size_t type = kLetters.find(token[0]);
    if (type == std::string_view::npos) {
      return Fail(ErrorCode::kDecode, fmt::format("unknown input: {}", token));
    }
    NodeId id = kNoNode;
    const char* end = token.data() + token.size();
    const auto [stopped, error] = std::from_chars(token.data() + 1, end, id);
    if (error != std::errc() || stopped != end) {
      // As the scripts know it, in the words of Go's library.
      const bool large = error == std::errc::result_out_of_range;
      return Fail(ErrorCode::kDecode,
                  fmt::format("strconv.ParseUint: parsing {}: {}", Quote(token.substr(1)),
                              large ? "value out of range" : "invalid syntax"));
    }
    changes.push_back({static_cast<ConfChangeType>(type), id});
  }
  return changes;
}

std::string ToJson(const Status& status) {
  std::string text = fmt::format(
      R"({{"id":"{:x}","term":{},"vote":"{:x}","commit":{},"lead":"{:x}","raftState":"{}",)"
      R"("applied":{},"progress":{{)",
      status.id, status.hard_state.term, status.hard_state.vote, status.hard_state.commit,
      status.soft_state.leader, Name(status.soft_state.role), status.applied);
  for (const ProgressStatus& progress : status.progress) {
    if (&progress != &status.progress.front()) text += ",";
    text += fmt::format(R"("{:x}":{{"match":{},"next":{},"state":"{}"}})", progress.id,
                        progress.match, progress.next, Name(progress.state));
  }
  return text + fmt::format(R"(}},"leadtransferee":"{:x}"}})", status.lead_transferee);
}

}  // namespace raft

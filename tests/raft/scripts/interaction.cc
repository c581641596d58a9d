#include "tests/raft/scripts/interaction.h"

#include <limits>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "raft/describe.h"
#include "tests/raft/scripts/environment.h"

namespace raft::scripts {
namespace {

using datadriven::Argument;
using datadriven::BadScript;
using datadriven::ParseBool;
using datadriven::ParseNumber;
using datadriven::Stanza;

constexpr int kMessageTypes = 24;

MessageType ParseType(std::string_view name) {
  for (int i = 0; i < kMessageTypes; ++i) {
    const auto type = static_cast<MessageType>(i);
    if (Name(type) == name) return type;
  }
  throw BadScript(fmt::format("unknown message type {}", name));
}

Config BaseConfig() {
  Config config;
  config.election_tick = 3;
  config.heartbeat_tick = 1;
  config.max_size_per_msg = kNoLimit;
  config.max_inflight_msgs = std::numeric_limits<int32_t>::max();
  return config;
}

// One script: its environment and the commands on it. Beyond what the shared scripts use there are, for ours:
//
//     add-nodes        max-size-per-msg= max-inflight-bytes= max-uncommitted-size= disable-proposal-forwarding=
//     read-index       <node> <context>
//     report-snapshot  <node> <peer> status=finish|failure
class Interaction {
 public:
  explicit Interaction(FatalHook fatal) : environment_(std::move(fatal)) {}

  std::string Handle(const Stanza& stanza) {
    Output& output = environment_.output();
    output.Clear();
    const auto command = commands_.find(stanza.command);
    Result<void> result =
        command == commands_.end() ? Refuse("unknown command") : (this->*command->second)(stanza);
    if (!result) {
      if (output.quiet()) return result.error().context;
      output.Write(result.error().context);
    }
    return output.text().empty() ? "ok" : output.text();
  }

 private:
  using Command = Result<void> (Interaction::*)(const Stanza&);

  static tl::unexpected<Error> Refuse(std::string text) {
    return Fail(ErrorCode::kStorage, std::move(text));
  }

  std::vector<Node*> Nodes(const Stanza& stanza) {
    std::vector<Node*> nodes;
    for (const std::string_view key : stanza.Keyless()) {
      nodes.push_back(&environment_.At(ParseNumber(key)));
    }
    return nodes;
  }

  Node& First(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (keys.empty()) throw BadScript(stanza.command + " wants a node");
    return environment_.At(ParseNumber(keys[0]));
  }

  static void SetMembers(const Argument& argument, std::vector<NodeId>& members) {
    for (const std::string& value : argument.values) members.push_back(ParseNumber(value));
  }

  static void SetLimit(const std::string& key, const std::string& value, Config& config) {
    if (key == "inflight") config.max_inflight_msgs = ParseNumber(value);
    if (key == "max-committed-size-per-ready") {
      config.max_committed_size_per_ready = ParseNumber(value);
    }
    if (key == "max-size-per-msg") config.max_size_per_msg = ParseNumber(value);
    if (key == "max-inflight-bytes") config.max_inflight_bytes = ParseNumber(value);
    if (key == "max-uncommitted-size") config.max_uncommitted_entries_size = ParseNumber(value);
  }

  // One that does not exist has no effect.
  static Result<void> SetOption(const std::string& key, const std::string& value, Config& config) {
    SetLimit(key, value, config);
    if (key == "async-storage-writes") config.async_storage_writes = ParseBool(value);
    if (key == "prevote") config.pre_vote = ParseBool(value);
    if (key == "checkquorum") config.check_quorum = ParseBool(value);
    if (key == "disable-conf-change-validation") {
      config.disable_conf_change_validation = ParseBool(value);
    }
    if (key == "disable-proposal-forwarding") {
      config.disable_proposal_forwarding = ParseBool(value);
    }
    if (key == "step-down-on-removal") config.step_down_on_removal = ParseBool(value);
    if (key == "content") throw BadScript("content is not supported");
    if (key != "read-only") return {};
    if (value != "safe" && value != "lease-based") {
      return Refuse("invalid read-only option " + Quote(value));
    }
    config.read_only_option = value == "safe" ? ReadOnlyOption::kSafe : ReadOnlyOption::kLeaseBased;
    return {};
  }

  Result<void> AddNodes(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (keys.empty()) throw BadScript("add-nodes wants a count");
    Config config = BaseConfig();
    Snapshot snapshot;
    for (const Argument& argument : stanza.arguments) {
      if (argument.key == "voters") SetMembers(argument, snapshot.metadata.conf_state.voters);
      if (argument.key == "learners") SetMembers(argument, snapshot.metadata.conf_state.learners);
      for (const std::string& value : argument.values) {
        if (argument.key == "index") snapshot.metadata.index = ParseNumber(value);
        if (Result<void> set = SetOption(argument.key, value, config); !set) return set;
      }
    }
    return environment_.AddNodes(ParseNumber(keys[0]), config, snapshot);
  }

  Result<void> Breakpoint(const Stanza&) { return {}; }

  Result<void> Campaign(const Stanza& stanza) { return First(stanza).raw->Campaign(); }

  Result<void> Compact(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (keys.size() < 2) throw BadScript("compact wants a node and an index");
    Result<void> compacted = First(stanza).storage->log().Compact(ParseNumber(keys[1]));
    return compacted ? RaftLog(stanza) : compacted;
  }

  Result<void> DeliverMessages(const Stanza& stanza) {
    std::vector<Delivery> recipients;
    std::optional<MessageType> type;
    const auto add = [&](const std::string& id, bool drop) {
      const Delivery next{ParseNumber(id), drop};
      for (const Delivery& other : recipients) {
        if (other.to == next.to && other.drop != drop) {
          throw BadScript(fmt::format("can't both deliver and drop msgs to {}", next.to));
        }
      }
      recipients.push_back(next);
    };
    for (const Argument& argument : stanza.arguments) {
      if (argument.values.empty()) add(argument.key, false);
      for (const std::string& value : argument.values) {
        if (argument.key == "drop") add(value, true);
        if (argument.key == "type") type = ParseType(value);
      }
    }
    if (environment_.Deliver(recipients, type) == 0) environment_.output().Write("no messages");
    return {};
  }

  // One node: its output as it is; several: each under a title, in a block.
  template <class Work>
  Result<void> ForNodes(const Stanza& stanza, const char* title, const Work& work) {
    const std::vector<Node*> nodes = Nodes(stanza);
    Result<void> result;
    for (Node* node : nodes) {
      if (nodes.size() == 1) return work(*node);
      environment_.output().Write(fmt::format("> {} {}\n", node->config.id, title));
      environment_.output().Indented([&] { result = work(*node); });
      if (!result) break;
    }
    return result;
  }

  Result<void> ProcessReady(const Stanza& stanza) {
    return ForNodes(stanza, "handling Ready",
                    [this](Node& node) { return environment_.ProcessReady(node); });
  }

  Result<void> ProcessAppendThread(const Stanza& stanza) {
    return ForNodes(stanza, "processing append thread",
                    [this](Node& node) { return environment_.ProcessAppendThread(node); });
  }

  Result<void> ProcessApplyThread(const Stanza& stanza) {
    return ForNodes(stanza, "processing apply thread",
                    [this](Node& node) { return environment_.ProcessApplyThread(node); });
  }

  Result<void> LogLevel(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (keys.empty()) throw BadScript("log-level wants a level");
    return SetLevel(keys[0]);
  }

  Result<void> SetLevel(std::string_view name) {
    if (environment_.output().SetLevel(name)) return {};
    return Refuse("log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]");
  }

  Result<void> RaftLog(const Stanza& stanza) {
    HistoryStorage& storage = *First(stanza).storage;
    const LogIndex first = storage.FirstIndex();
    const LogIndex last = storage.LastIndex();
    if (last < first) {
      environment_.output().Write(
          fmt::format("log is empty: first index={}, last index={}", first, last));
      return {};
    }
    std::vector<Entry> entries;
    if (Result<void> read = storage.GetEntries(first, last + 1, kNoLimit, entries); !read) {
      return read;
    }
    for (const Entry& entry : entries) environment_.output().Write(Describe(entry) + "\n");
    return {};
  }

  Result<void> RaftState(const Stanza&) {
    for (const Node& node : environment_.nodes()) {
      const raft::Status status = node.raw->GetStatus();
      const auto lists = [&status](const std::vector<NodeId>& ids) {
        return std::find(ids.begin(), ids.end(), status.id) != ids.end();
      };
      const bool voter = lists(status.config.voters) || lists(status.config.voters_outgoing);
      environment_.output().Write(fmt::format(
          "{}: {} {} Term:{} Lead:{}\n", status.id, Name(status.soft_state.role),
          voter ? "(Voter)" : "(Non-Voter)", status.hard_state.term, status.soft_state.leader));
    }
    return {};
  }

  Result<void> Status(const Stanza& stanza) {
    First(stanza).raw->VisitProgress([this](const ProgressStatus& progress) {
      environment_.output().Write(fmt::format("{}: {}\n", progress.id, Describe(progress)));
    });
    return {};
  }

  Result<void> SetElectionTimeout(const Stanza& stanza) {
    const uint64_t ticks = ParseNumber(stanza.Value("timeout"));
    if (ticks == 0 || ticks > UINT32_MAX) throw BadScript("timeout is out of range");
    First(stanza).raw->SetRandomizedElectionTimeout(static_cast<uint32_t>(ticks));
    return {};
  }

  Result<void> Stabilize(const Stanza& stanza) {
    Output& output = environment_.output();
    const Output::Level before = output.level();
    if (stanza.Find("log-level") != nullptr) {
      if (Result<void> set = SetLevel(stanza.Value("log-level")); !set) return set;
    }
    std::vector<Node*> nodes = Nodes(stanza);
    if (nodes.empty()) {
      for (Node& node : environment_.nodes()) nodes.push_back(&node);
    }
    Result<void> result = environment_.Stabilize(nodes);
    output.set_level(before);
    return result;
  }

  Result<void> TickElection(const Stanza& stanza) {
    Node& node = First(stanza);
    for (uint32_t i = 0; i < node.config.election_tick; ++i) node.raw->Tick();
    return {};
  }

  Result<void> TickHeartbeat(const Stanza& stanza) {
    Node& node = First(stanza);
    for (uint32_t i = 0; i < node.config.heartbeat_tick; ++i) node.raw->Tick();
    return {};
  }

  Result<void> TransferLeadership(const Stanza& stanza) {
    const NodeId to = ParseNumber(stanza.Value("to"));
    environment_.At(to);
    environment_.At(ParseNumber(stanza.Value("from"))).raw->TransferLeader(to);
    return {};
  }

  Result<void> ForgetLeader(const Stanza& stanza) {
    First(stanza).raw->ForgetLeader();
    return {};
  }

  Result<void> SendSnapshot(const Stanza& stanza) {
    const std::vector<Node*> nodes = Nodes(stanza);
    if (nodes.size() != 2) throw BadScript("send-snapshot wants two nodes");
    Result<SnapshotPtr> snapshot = nodes[0]->storage->GetSnapshot(0, kNoNode);
    if (!snapshot) return tl::unexpected(std::move(snapshot).error());
    Message message;
    message.type = MessageType::kSnap;
    message.from = nodes[0]->config.id;
    message.to = nodes[1]->config.id;
    message.term = nodes[0]->raw->GetBasicStatus().hard_state.term;
    message.snapshot = *snapshot;
    environment_.output().Write(Describe(message));
    environment_.Queue(std::move(message));
    return {};
  }

  Result<void> Propose(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (stanza.arguments.size() != 2 || keys.size() != 2) {
      throw BadScript("propose wants a node and data");
    }
    return First(stanza).raw->Propose(Payload::Copy(keys[1]));
  }

  Result<void> ProposeConfChange(const Stanza& stanza) {
    Node& node = First(stanza);
    bool v1 = false;
    ConfChangeV2 change;
    for (size_t i = 1; i < stanza.arguments.size(); ++i) {
      const Argument& argument = stanza.arguments[i];
      for (const std::string& value : argument.values) {
        if (argument.key == "v1") {
          v1 = ParseBool(value);
        } else if (argument.key != "transition") {
          return Refuse("unknown command " + argument.key);
        } else if (value == "auto") {
          change.transition = ConfChangeTransition::kAuto;
        } else if (value == "implicit") {
          change.transition = ConfChangeTransition::kJointImplicit;
        } else if (value == "explicit") {
          change.transition = ConfChangeTransition::kJointExplicit;
        } else {
          return Refuse("unknown transition " + value);
        }
      }
    }
    Result<std::vector<ConfChangeSingle>> changes = FromTokens(stanza.input);
    if (!changes) return tl::unexpected(std::move(changes).error());
    change.changes = std::move(*changes);
    if (!v1) return node.raw->ProposeConfChange(change);
    if (change.changes.size() > 1 || change.transition != ConfChangeTransition::kAuto) {
      return Refuse("v1 conf change can only have one operation and no transition");
    }
    if (change.changes.empty()) throw BadScript("v1 conf change without a change");
    const ConfChangeSingle& single = change.changes.front();
    return node.raw->ProposeConfChange(ConfChange{0, single.type, single.node_id, {}});
  }

  Result<void> ReportUnreachable(const Stanza& stanza) {
    const std::vector<Node*> nodes = Nodes(stanza);
    if (nodes.size() != 2) {
      return Refuse(
          "must specify exactly two node indexes: node on which to report, and reported node");
    }
    nodes[0]->raw->ReportUnreachable(nodes[1]->config.id);
    return {};
  }

  Result<void> ReportSnapshot(const Stanza& stanza) {
    const std::vector<Node*> nodes = Nodes(stanza);
    if (nodes.size() != 2) throw BadScript("report-snapshot wants two nodes");
    const std::string_view status = stanza.Value("status");
    if (status != "finish" && status != "failure") throw BadScript("unknown status of a snapshot");
    nodes[0]->raw->ReportSnapshot(nodes[1]->config.id, status == "finish"
                                                           ? SnapshotStatus::kFinish
                                                           : SnapshotStatus::kFailure);
    return {};
  }

  Result<void> ReadIndex(const Stanza& stanza) {
    const std::vector<std::string_view> keys = stanza.Keyless();
    if (keys.size() != 2) throw BadScript("read-index wants a node and a context");
    First(stanza).raw->ReadIndex(Payload::Copy(keys[1]));
    return {};
  }

  Environment environment_;
  const std::map<std::string, Command, std::less<>> commands_ = {
      {"_breakpoint", &Interaction::Breakpoint},
      {"add-nodes", &Interaction::AddNodes},
      {"campaign", &Interaction::Campaign},
      {"compact", &Interaction::Compact},
      {"deliver-msgs", &Interaction::DeliverMessages},
      {"forget-leader", &Interaction::ForgetLeader},
      {"log-level", &Interaction::LogLevel},
      {"process-append-thread", &Interaction::ProcessAppendThread},
      {"process-apply-thread", &Interaction::ProcessApplyThread},
      {"process-ready", &Interaction::ProcessReady},
      {"propose", &Interaction::Propose},
      {"propose-conf-change", &Interaction::ProposeConfChange},
      {"raft-log", &Interaction::RaftLog},
      {"raft-state", &Interaction::RaftState},
      {"read-index", &Interaction::ReadIndex},
      {"report-snapshot", &Interaction::ReportSnapshot},
      {"report-unreachable", &Interaction::ReportUnreachable},
      {"send-snapshot", &Interaction::SendSnapshot},
      {"set-randomized-election-timeout", &Interaction::SetElectionTimeout},
      {"stabilize", &Interaction::Stabilize},
      {"status", &Interaction::Status},
      {"tick-election", &Interaction::TickElection},
      {"tick-heartbeat", &Interaction::TickHeartbeat},
      {"transfer-leadership", &Interaction::TransferLeadership},
  };
};

}  // namespace

datadriven::Handler InteractionHandler(FatalHook fatal) {
  auto interaction = std::make_shared<Interaction>(std::move(fatal));
  return [interaction](const Stanza& stanza) { return interaction->Handle(stanza); };
}

}  // namespace raft::scripts

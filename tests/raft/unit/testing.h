#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "raft/mem_storage.h"
#include "raft/raw_node.h"

namespace raft::testing {

inline Payload Text(std::string_view text) { return Payload::Copy(text); }

/// Collects log lines, without their levels.
class Lines final : public Logger {
 public:
  bool Enabled(LogLevel) const override { return true; }
  void Log(LogLevel, std::string_view text) override { text_ += std::string(text) + "\n"; }
  const std::string& text() const { return text_; }
  bool Has(std::string_view part) const { return text_.find(part) != std::string::npos; }

 private:
  std::string text_;
};

/// A node over a storage in memory that holds a snapshot at index 2, term 1, of these voters.
struct TestNode {
  explicit TestNode(NodeId id, std::vector<NodeId> voters = {1, 2, 3}) {
    if (!voters.empty()) {
      Snapshot snapshot;
      snapshot.metadata = {{std::move(voters), {}, {}, {}, false}, 2, 1};
      CHECK(storage.ApplySnapshot(snapshot));
      storage.SetHardState({1, kNoNode, 2});
    }
    config.id = id;
    config.election_tick = 10;
    config.heartbeat_tick = 1;
    config.storage = &storage;
    config.random = [](uint64_t) -> uint64_t { return 0; };
    config.max_size_per_msg = kNoLimit;
    config.max_inflight_msgs = 256;
    config.logger = &lines;
  }

  void Start() {
    Result<std::unique_ptr<RawNode>> made = RawNode::Create(config);
    REQUIRE(made);
    raw = std::move(*made);
  }

  /// Carries out one Ready; returns the messages for others.
  std::vector<Message> RunReady() {
    Ready& ready = raw->GetReady();
    if (ready.hard_state) storage.SetHardState(*ready.hard_state);
    if (ready.snapshot != nullptr) CHECK(storage.ApplySnapshot(*ready.snapshot));
    storage.Append(ready.entries);
    for (const Entry& entry : ready.committed_entries) {
      applied.push_back(entry);
      if (entry.type == EntryType::kNormal) continue;
      CHECK(raw->ApplyConfChange(*DecodeConfChange(entry)));
    }
    for (ReadState& read : ready.read_states) reads.push_back(std::move(read));
    std::vector<Message> messages = std::move(ready.messages);
    raw->Advance();
    return messages;
  }

  /// Carries out Readies until there is none.
  std::vector<Message> RunAll() {
    std::vector<Message> all;
    while (raw->HasReady()) {
      for (Message& message : RunReady()) all.push_back(std::move(message));
    }
    return all;
  }

  bool leads() const { return raw->GetBasicStatus().soft_state.role == Role::kLeader; }
  LogIndex commit() const { return raw->GetBasicStatus().hard_state.commit; }
  Term term() const { return raw->GetBasicStatus().hard_state.term; }

  Lines lines;
  MemStorage storage;
  Config config;
  std::unique_ptr<RawNode> raw;
  std::vector<Entry> applied;
  std::vector<ReadState> reads;
};

/// Passes messages on between nodes until there are none. Node i has id i + 1; a null one is dead.
inline void Pump(const std::vector<TestNode*>& nodes) {
  for (bool worked = true; worked;) {
    worked = false;
    for (TestNode* node : nodes) {
      if (node == nullptr) continue;
      for (Message& message : node->RunAll()) {
        worked = true;
        if (message.to > nodes.size() || nodes[message.to - 1] == nullptr) continue;
        (void)nodes[message.to - 1]->raw->Step(std::move(message));
      }
    }
  }
}

/// A message to node 1.
inline Message From(NodeId from, MessageType type, Term term) {
  Message message;
  message.type = type;
  message.from = from;
  message.to = 1;
  message.term = term;
  return message;
}

/// A snapshot that node 2 sends as the leader of `term`, of the three usual voters; written in the same term.
inline Message SnapshotAt(LogIndex index, Term term) {
  Message message = From(2, MessageType::kSnap, term);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata = {{{1, 2, 3}, {}, {}, {}, false}, index, term};
  message.snapshot = std::move(snapshot);
  return message;
}

/// Three nodes, to be configured, then started.
struct Trio {
  void Start() {
    for (TestNode* node : all) node->Start();
  }
  void Elect() {
    CHECK(one.raw->Campaign());
    Pump(all);
    REQUIRE(one.leads());
  }
  TestNode one{1};
  TestNode two{2};
  TestNode three{3};
  std::vector<TestNode*> all = {&one, &two, &three};
};

}  // namespace raft::testing

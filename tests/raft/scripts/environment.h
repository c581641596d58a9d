#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "raft/logger.h"
#include "raft/raw_node.h"
#include "tests/raft/storage_over.h"

namespace raft::scripts {

/// What a stanza prints: the library's log lines, as far as the level lets them through, and what
/// the commands themselves show.
class Output final : public Logger {
 public:
  enum Level : uint8_t { kDebug, kInfo, kWarn, kError, kFatal, kNone };

  bool Enabled(LogLevel level) const override { return static_cast<uint8_t>(level) >= level_; }
  void Log(LogLevel level, std::string_view text) override;

  /// Silent at level NONE.
  void Write(std::string_view text);

  /// Runs `body` and writes what it wrote in a block of two more spaces.
  template <class Body>
  void Indented(const Body& body) {
    std::string before = std::exchange(text_, {});
    body();
    const std::string inner = std::exchange(text_, std::move(before));
    WriteIndented(inner);
  }

  /// False if there is no such level.
  bool SetLevel(std::string_view name);
  Level level() const { return level_; }
  void set_level(Level level) { level_ = level; }
  bool quiet() const { return level_ == kNone; }

  void Clear() { text_.clear(); }
  const std::string& text() const { return text_; }

 private:
  void WriteIndented(std::string_view block);

  std::string text_;
  Level level_ = kDebug;
};

/// The state machine of a node is an appender: each applied entry leads to the state before and its
/// data behind it. All states are kept, as snapshots; the newest is what Raft gets to send.
class HistoryStorage final : public StorageOver {
 public:
  explicit HistoryStorage(FatalHook fatal) : StorageOver(log_), log_(std::move(fatal)) {}

  Result<SnapshotPtr> GetSnapshot(LogIndex, NodeId) override { return newest_; }

  void StartHistory(Snapshot snapshot) {
    newest_ = std::make_shared<Snapshot>(std::move(snapshot));
  }
  void Record(const Entry& entry, const Payload& data, const std::optional<ConfState>& conf_state);

 private:
  MemStorage log_;
  SnapshotPtr newest_;
};

struct Node {
  Config config;
  std::unique_ptr<HistoryStorage> storage;
  std::unique_ptr<RawNode> raw;
  std::deque<Message> append_work;
  std::deque<Message> apply_work;
};

struct Delivery {
  NodeId to = kNoNode;
  bool drop = false;
};

/// Some nodes, with ids 1, 2, 3 and so on, and the messages between them. What the operations do is
/// shown in output(). Errors are those of the library, and those of the script format.
class Environment {
 public:
  explicit Environment(FatalHook fatal) : fatal_(std::move(fatal)) {}

  Output& output() { return output_; }
  std::deque<Node>& nodes() { return nodes_; }

  /// BadScript if there is no such node.
  Node& At(NodeId id);

  Result<void> AddNodes(uint64_t count, const Config& config, const Snapshot& snapshot);
  Result<void> ProcessReady(Node& node);
  Result<void> ProcessAppendThread(Node& node);
  Result<void> ProcessApplyThread(Node& node);

  /// Handles all messages to these nodes, or those of one type; returns how many there were.
  size_t Deliver(const std::vector<Delivery>& recipients, std::optional<MessageType> type);
  void Queue(Message message) { messages_.push_back(std::move(message)); }

  /// Goes on with everything these nodes have to do until there is nothing left.
  Result<void> Stabilize(const std::vector<Node*>& nodes);

 private:
  Result<void> WriteStable(Node& node, const HardState& state, const std::vector<Entry>& entries,
                           const SnapshotPtr& snapshot);
  Result<void> Apply(Node& node, const std::vector<Entry>& entries);
  std::vector<Message> TakeMessages(const Delivery& recipient, std::optional<MessageType> type);
  bool HasMessages(NodeId to) const;
  void Respond(Message& work);
  template <class Work>
  Result<void> Block(const std::string& title, const Work& work);

  FatalHook fatal_;
  Output output_;
  std::deque<Node> nodes_;
  std::vector<Message> messages_;
};

}  // namespace raft::scripts

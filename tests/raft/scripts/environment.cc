#include "tests/raft/scripts/environment.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "raft/conf_change.h"
#include "raft/describe.h"
#include "tests/datadriven/datadriven.h"

namespace raft::scripts {
namespace {

// A group that is at work for longer than this will be for ever.
constexpr int kPassesMax = 1000;

constexpr std::array<std::string_view, 6> kLevels = {"DEBUG", "INFO",  "WARN",
                                                     "ERROR", "FATAL", "NONE"};

bool IsThread(NodeId id) { return id == kAppendThread || id == kApplyThread; }

bool IsLocal(const Message& message) {
  return message.from == message.to || IsThread(message.from) || IsThread(message.to);
}

Result<void> BeginLog(MemStorage& log, const Snapshot& snapshot) {
  // The first index must be beyond 1, or there would be nothing to tell a compacted log by.
  const LogIndex index = snapshot.metadata.index;
  if (index <= 1) {
    return Fail(ErrorCode::kStorage, "index must be specified as > 1 due to bootstrap");
  }
  if (Result<void> applied = log.ApplySnapshot(snapshot); !applied) return applied;
  if (log.FirstIndex() == index + 1) return {};
  return Fail(ErrorCode::kStorage, fmt::format("failed to establish first index {}; got {}",
                                               index + 1, log.FirstIndex()));
}

}  // namespace

void Output::Log(LogLevel level, std::string_view text) {
  if (!Enabled(level)) return;
  text_ += fmt::format("{} {}\n", kLevels[static_cast<size_t>(level)], text);
}

void Output::Write(std::string_view text) {
  if (!quiet()) text_ += text;
}

void Output::WriteIndented(std::string_view block) {
  while (!block.empty()) {
    const size_t end = std::min(block.find('\n'), block.size());
    text_ += fmt::format("  {}\n", block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

bool Output::SetLevel(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const auto at = std::find(kLevels.begin(), kLevels.end(), upper);
  if (at == kLevels.end()) return false;
  level_ = static_cast<Level>(at - kLevels.begin());
  return true;
}

void HistoryStorage::Record(const Entry& entry, const Payload& data,
                            const std::optional<ConfState>& conf_state) {
  Snapshot next;
  next.data = Payload::Concat(newest_->data.view(), data.view());
  next.metadata.index = entry.index;
  next.metadata.term = entry.term;
  next.metadata.conf_state = conf_state ? *conf_state : newest_->metadata.conf_state;
  newest_ = std::make_shared<Snapshot>(std::move(next));
}

Node& Environment::At(NodeId id) {
  if (id == 0 || id > nodes_.size()) throw datadriven::BadScript(fmt::format("no node {}", id));
  return nodes_[id - 1];
}

Result<void> Environment::AddNodes(uint64_t count, const Config& config, const Snapshot& snapshot) {
  for (uint64_t i = 0; i < count; ++i) {
    Node node;
    node.storage = std::make_unique<HistoryStorage>(fatal_);
    Snapshot first = snapshot;
    if (first != Snapshot()) {
      first.metadata.term = 1;
      if (Result<void> begun = BeginLog(node.storage->log(), first); !begun) return begun;
    }
    node.config = config;
    node.config.id = nodes_.size() + 1;
    node.config.applied = first.metadata.index;
    node.config.storage = node.storage.get();
    node.config.logger = &output_;
    node.config.fatal = fatal_;
    node.config.hold_votes = false;  // The format shows when etcd's go out.
    node.config.random = [](uint64_t) -> uint64_t { return 0; };
    node.storage->StartHistory(std::move(first));
    Result<std::unique_ptr<RawNode>> raw = RawNode::Create(node.config);
    if (!raw) throw datadriven::BadScript(raw.error().context);
    node.raw = std::move(*raw);
    nodes_.push_back(std::move(node));
  }
  return {};
}

Result<void> Environment::ProcessReady(Node& node) {
  Ready& ready = node.raw->GetReady();
  output_.Write(Describe(ready));
  if (!node.config.async_storage_writes) {
    Result<void> written =
        WriteStable(node, ready.hard_state.value_or(HardState()), ready.entries, ready.snapshot);
    if (written) written = Apply(node, ready.committed_entries);
    if (!written) return written;
  }
  for (Message& message : ready.messages) {
    if (message.to == kAppendThread) {
      node.append_work.push_back(std::move(message));
    } else if (message.to == kApplyThread) {
      node.apply_work.push_back(std::move(message));
    } else {
      messages_.push_back(std::move(message));
    }
  }
  if (!node.config.async_storage_writes) node.raw->Advance();
  return {};
}

Result<void> Environment::WriteStable(Node& node, const HardState& state,
                                      const std::vector<Entry>& entries,
                                      const SnapshotPtr& snapshot) {
  MemStorage& log = node.storage->log();
  if (!state.empty()) log.SetHardState(state);
  if (snapshot != nullptr && !snapshot->empty()) {
    if (!entries.empty()) {
      return Fail(ErrorCode::kStorage, "can't apply snapshot and entries at the same time");
    }
    return log.ApplySnapshot(*snapshot);
  }
  log.Append(entries);
  return {};
}

Result<void> Environment::Apply(Node& node, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.type == EntryType::kNormal) {
      node.storage->Record(entry, entry.data, std::nullopt);
      continue;
    }
    Result<ConfChangeV2> change = DecodeConfChange(entry);
    if (!change) return tl::unexpected(std::move(change).error());
    Result<ConfState> applied = node.raw->ApplyConfChange(*change);
    if (!applied) fatal_(applied.error().context);
    node.storage->Record(entry, change->context, *applied);
  }
  return {};
}

void Environment::Respond(Message& work) {
  output_.Write("Responses:\n");
  for (Message& response : work.responses) {
    output_.Write(Describe(response) + "\n");
    messages_.push_back(std::move(response));
  }
}

Result<void> Environment::ProcessAppendThread(Node& node) {
  if (node.append_work.empty()) {
    output_.Write("no append work to perform");
    return {};
  }
  Message work = std::move(node.append_work.front());
  node.append_work.pop_front();
  std::vector<Message> responses = std::exchange(work.responses, {});
  output_.Write("Processing:\n" + Describe(work) + "\n");
  const HardState state{work.term, work.vote, work.commit};
  if (Result<void> done = WriteStable(node, state, work.entries, work.snapshot); !done) return done;
  work.responses = std::move(responses);
  Respond(work);
  return {};
}

Result<void> Environment::ProcessApplyThread(Node& node) {
  if (node.apply_work.empty()) {
    output_.Write("no apply work to perform");
    return {};
  }
  Message work = std::move(node.apply_work.front());
  node.apply_work.pop_front();
  std::vector<Message> responses = std::exchange(work.responses, {});
  output_.Write("Processing:\n" + Describe(work) + "\n");
  if (Result<void> done = Apply(node, work.entries); !done) return done;
  work.responses = std::move(responses);
  Respond(work);
  return {};
}

std::vector<Message> Environment::TakeMessages(const Delivery& recipient,
                                               std::optional<MessageType> type) {
  const auto stays = [&](const Message& message) {
    return message.to != recipient.to || (recipient.drop && IsLocal(message)) ||
           (type && message.type != *type);
  };
  const auto split = std::stable_partition(messages_.begin(), messages_.end(), stays);
  std::vector<Message> taken(std::make_move_iterator(split),
                             std::make_move_iterator(messages_.end()));
  messages_.erase(split, messages_.end());
  return taken;
}

bool Environment::HasMessages(NodeId to) const {
  return std::any_of(messages_.begin(), messages_.end(),
                     [to](const Message& message) { return message.to == to; });
}

size_t Environment::Deliver(const std::vector<Delivery>& recipients,
                            std::optional<MessageType> type) {
  size_t count = 0;
  for (const Delivery& recipient : recipients) {
    for (Message& message : TakeMessages(recipient, type)) {
      ++count;
      output_.Write((recipient.drop ? "dropped: " : "") + Describe(message) + "\n");
      if (recipient.drop) continue;
      Result<void> stepped = At(recipient.to).raw->Step(std::move(message));
      if (!stepped) output_.Write(stepped.error().context + "\n");
    }
  }
  return count;
}

template <class Work>
Result<void> Environment::Block(const std::string& title, const Work& work) {
  output_.Write(title);
  Result<void> result;
  output_.Indented([&] { result = work(); });
  return result;
}

Result<void> Environment::Stabilize(const std::vector<Node*>& nodes) {
  Result<void> result;
  bool worked = true;
  const auto run = [&](bool due, const std::string& title, const auto& work) {
    if (!due || !result) return;
    worked = true;
    result = Block(title, work);
  };
  const auto run_all = [&](std::deque<Message>& queue, const std::string& title, const auto& work) {
    for (bool first = true; !queue.empty() && result; first = false) {
      run(true, first ? title : std::string(), work);
    }
  };
  for (int pass = 0; worked && result; ++pass) {
    if (pass == kPassesMax) throw datadriven::BadScript("there is no end to stabilize");
    worked = false;
    for (Node* node : nodes) {
      run(node->raw->HasReady(), fmt::format("> {} handling Ready\n", node->config.id),
          [&] { return ProcessReady(*node); });
    }
    for (Node* node : nodes) {
      const NodeId id = node->config.id;
      run(HasMessages(id), fmt::format("> {} receiving messages\n", id), [&]() -> Result<void> {
        Deliver({{id, false}}, std::nullopt);
        return {};
      });
    }
    for (Node* node : nodes) {
      run_all(node->append_work, fmt::format("> {} processing append thread\n", node->config.id),
              [&] { return ProcessAppendThread(*node); });
    }
    for (Node* node : nodes) {
      run_all(node->apply_work, fmt::format("> {} processing apply thread\n", node->config.id),
              [&] { return ProcessApplyThread(*node); });
    }
  }
  return result;
}

}  // namespace raft::scripts

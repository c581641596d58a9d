// Whatever messages come in, in whatever order and between whatever calls of the host, a node neither
// breaks nor loses an invariant. The input is a program: each byte chooses what is done next.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "raft/describe.h"
#include "raft/mem_storage.h"
#include "raft/raw_node.h"

namespace raft {
namespace {

constexpr NodeId kSelf = 1;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool empty() const { return left_ == 0; }
  uint8_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  // Mostly small, so that messages hit something; at times huge.
  uint64_t Number() {
    const uint8_t byte = Byte();
    return byte < 250 ? byte % 24u : UINT64_MAX - (byte - 250u);
  }
  bool Flag() { return Byte() % 2 == 1; }
  Payload Bytes() {
    std::string bytes;
    for (uint8_t count = Byte() % 16; count > 0; --count)
      bytes.push_back(static_cast<char>(Byte()));
    return Payload::Copy(bytes);
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

void ReadIds(Input& in, std::vector<NodeId>& ids) {
  for (uint8_t count = in.Byte() % 4; count > 0; --count) ids.push_back(in.Byte() % 7u);
}

SnapshotPtr ReadSnapshot(Input& in) {
  if (in.Byte() % 4 != 0) return nullptr;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.index = in.Byte() % 64u;
  snapshot->metadata.term = in.Byte() % 8u;
  ReadIds(in, snapshot->metadata.conf_state.voters);
  ReadIds(in, snapshot->metadata.conf_state.learners);
  ReadIds(in, snapshot->metadata.conf_state.voters_outgoing);
  return snapshot;
}

Message ReadMessage(Input& in) {
  Message message;
  message.type = static_cast<MessageType>(in.Byte() % 26);
  const uint8_t from = in.Byte();
  message.from = from < 250 ? from % 7u : kAppendThread - from % 2u;
  message.to = in.Byte() < 250 ? kSelf : in.Byte() % 7u;
  message.term = in.Number();
  message.log_term = in.Number();
  message.index = in.Number();
  message.reject = in.Flag();
  message.reject_hint = in.Number();
  for (uint8_t count = in.Byte() % 4; count > 0; --count) {
    Entry& entry = message.entries.emplace_back();
    entry.type = static_cast<EntryType>(in.Byte() % 3);
    entry.term = message.log_term + in.Byte() % 2;
    entry.index = message.index + message.entries.size() + in.Byte() / 250;
    entry.data = in.Bytes();
  }
  message.commit = in.Number();
  message.snapshot = ReadSnapshot(in);
  message.context = in.Flag() ? Payload::Copy("CampaignTransfer") : in.Bytes();
  return message;
}

void Require(bool holds) {
  if (!holds) std::abort();
}

// One node, and what its host saw of it.
class Host {
 public:
  explicit Host(Input& in) {
    Snapshot snapshot;
    snapshot.metadata = {{{1, 2, 3}, {4}, {}, {}, false}, 2, 1};
    Require(storage_.ApplySnapshot(snapshot).has_value());
    storage_.SetHardState({1, kNoNode, 2});
    Config config;
    config.id = kSelf;
    config.election_tick = 3;
    config.heartbeat_tick = 1;
    config.storage = &storage_;
    config.random = [&in](uint64_t bound) { return in.Byte() % bound; };
    config.max_size_per_msg = in.Byte();
    config.max_inflight_msgs = 1 + in.Byte() % 4u;
    config.check_quorum = in.Flag();
    config.pre_vote = in.Flag();
    config.fatal = [](std::string_view text) {
      fmt::print(stderr, "{}\n", text);
      std::abort();
    };
    node_ = std::move(*RawNode::Create(config));
  }

  void Run(Input& in) {
    switch (in.Byte() % 8) {
      case 0:
        node_->Tick();
        break;
      case 1:
        (void)node_->Propose(in.Bytes());
        break;
      case 2:
        (void)node_->Campaign();
        break;
      case 3:
        node_->ReadIndex(in.Bytes());
        break;
      case 4:
        RunReady();
        break;
      default: {
        Message message = ReadMessage(in);
        (void)Describe(message);
        (void)node_->Step(std::move(message));
      }
    }
    CheckState();
  }

 private:
  void RunReady() {
    if (!node_->HasReady()) return;
    Ready& ready = node_->GetReady();
    (void)Describe(ready);
    if (ready.hard_state) storage_.SetHardState(*ready.hard_state);
    if (ready.snapshot != nullptr) {
      Require(storage_.ApplySnapshot(*ready.snapshot).has_value());
      applied_ = ready.snapshot->metadata.index;
    }
    storage_.Append(ready.entries);
    for (const Entry& entry : ready.committed_entries) {
      Require(entry.index == ++applied_);
      Result<ConfChangeV2> change = DecodeConfChange(entry);
      if (change) (void)node_->ApplyConfChange(*change);
    }
    node_->Advance();
  }

  void CheckState() {
    const HardState state = node_->GetBasicStatus().hard_state;
    Require(state.term >= last_.term && state.commit >= last_.commit);
    Require(state.term > last_.term || last_.vote == kNoNode || state.vote == last_.vote);
    last_ = state;
    for (const ProgressStatus& progress : node_->GetStatus().progress) {
      Require(progress.match < progress.next);
    }
  }

  MemStorage storage_;
  std::unique_ptr<RawNode> node_;
  LogIndex applied_ = 2;
  HardState last_;
};

}  // namespace
}  // namespace raft

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  raft::Input in(data, size);
  raft::Host host(in);
  while (!in.empty()) host.Run(in);
  return 0;
}

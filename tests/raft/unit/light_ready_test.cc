// Readies acknowledged in parts: written, durable, applied.
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/raw_node.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::SnapshotAt;
using testing::TestNode;
using testing::Text;

struct LightNode : TestNode {
  explicit LightNode(std::vector<NodeId> voters, NodeId id = 1) : TestNode(id, std::move(voters)) {
    config.light_ready = true;
  }

  /// Takes a Ready and writes it, without telling.
  Ready& Write() {
    Ready& ready = raw->GetReady();
    if (ready.hard_state) storage.SetHardState(*ready.hard_state);
    storage.Append(ready.entries);
    return ready;
  }

  /// A leader by the votes of all others, with its first entry at 3.
  void Lead() {
    Start();
    CHECK(raw->Campaign());
    (void)Write();
    (void)raw->AdvanceAppend();
    for (const NodeId voter : raw->GetStatus().config.voters) {
      if (voter != 1) (void)raw->Step(From(voter, MessageType::kVoteResp, term()));
    }
    REQUIRE(leads());
  }

  void Accept(NodeId from, LogIndex index) {
    Message accepted = From(from, MessageType::kAppResp, term());
    accepted.index = index;
    CHECK(raw->Step(accepted));
  }

  LogIndex applied_index() const { return raw->GetBasicStatus().applied; }
};

TEST_CASE("a durable write leads to a light ready") {
  LightNode node({1});
  node.Lead();
  CHECK(node.Write().number == 2);
  LightReady& light = node.raw->AdvanceAppend();
  CHECK(light.commit_index == 3);
  REQUIRE(light.committed_entries.size() == 1);
  CHECK(light.committed_entries[0].index == 3);
  CHECK(node.applied_index() == 2);
  node.raw->AdvanceApply();
  CHECK(node.applied_index() == 3);
  CHECK_FALSE(node.raw->HasReady());  // The commit index was told.
}

TEST_CASE("what is written but not durable is not handed out") {
  LightNode node({1});
  node.Lead();
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 3; ++i) {
    CHECK(node.raw->Propose(Text("x")));
    numbers.push_back(node.Write().number);
    node.raw->AdvanceAppendAsync();
  }
  CHECK_FALSE(node.raw->HasReady());
  CHECK(node.commit() == 2);
  // Of the first two; entries 3 and 4 are in the first of these.
  node.raw->OnPersistReady(numbers[1]);
  CHECK(node.commit() == 5);
  CHECK(node.Write().committed_entries.size() == 3);
  node.raw->AdvanceAppendAsync();
  LightReady& light = node.raw->AdvanceAppend();
  CHECK(light.commit_index == 6);
  CHECK(light.committed_entries.size() == 1);
}

TEST_CASE("a follower answers when its write is durable, and applies then") {
  LightNode node({1, 2, 3});
  node.Start();
  Message append = From(2, MessageType::kApp, 2);
  append.index = 2;
  append.log_term = 1;
  append.commit = 3;
  append.entries = {{EntryType::kNormal, 2, 3, Text("x")}};
  CHECK(node.raw->Step(append));
  const Ready& ready = node.Write();
  CHECK(ready.committed_entries.empty());
  REQUIRE(ready.messages.size() == 1);
  CHECK(ready.immediate_count == 0);
  node.raw->AdvanceAppendAsync();
  CHECK_FALSE(node.raw->HasReady());
  const LightReady& light = node.raw->AdvanceAppend();
  REQUIRE(light.committed_entries.size() == 1);
  CHECK_FALSE(light.commit_index.has_value());  // It was in the Ready.
  CHECK(light.messages.empty());
}

TEST_CASE("a leader may apply so many entries before they are durable here") {
  const uint64_t limit = GENERATE(0u, 1u, 2u, 100u);
  LightNode node({1, 2, 3});
  node.config.max_apply_unpersisted_log_limit = limit;
  node.Lead();
  CHECK(node.raw->Propose(Text("x")));
  CHECK(node.raw->Propose(Text("y")));
  (void)node.Write();
  node.raw->AdvanceAppendAsync();
  node.Accept(2, 5);
  node.Accept(3, 5);
  CHECK(node.commit() == 5);
  CHECK(node.Write().committed_entries.size() == std::min<uint64_t>(limit, 3));
  node.raw->AdvanceAppendAsync();
  SECTION("the limit may change") {
    node.raw->SetMaxApplyUnpersistedLogLimit(3);
    node.raw->AdvanceApply();
    CHECK(node.raw->HasReady() == (limit < 3));
  }
  SECTION("a follower's is 0") {
    CHECK(node.raw->Step(From(2, MessageType::kHeartbeat, node.term() + 1)));
    node.raw->AdvanceApply();
    CHECK(node.Write().committed_entries.empty());
  }
}

TEST_CASE("applied entries are told one by one or all together") {
  LightNode node({1});
  node.config.max_committed_size_per_ready = 30;
  node.Lead();
  for (int i = 0; i < 6; ++i) CHECK(node.raw->Propose(Text("x")));
  (void)node.Write();
  REQUIRE(node.raw->AdvanceAppend().committed_entries.size() == 4);  // 4, 7, 7 and 7 bytes.
  node.raw->AdvanceApplyTo(4);
  CHECK(node.applied_index() == 4);
  node.raw->AdvanceApplyTo(6);
  CHECK(node.applied_index() == 6);
  CHECK(node.Write().committed_entries.size() == 3);
  node.raw->Advance();  // Says all at once.
  CHECK(node.applied_index() == 9);
}

TEST_CASE("a leader's messages need not wait for the next Ready") {
  LightNode node({1});
  node.Lead();
  (void)node.Write();
  node.raw->AdvanceAppend();
  node.raw->AdvanceApply();
  const ConfChange add{0, ConfChangeType::kAddLearnerNode, 2, {}};
  CHECK(node.raw->ProposeConfChange(add));
  (void)node.Write();
  (void)node.raw->AdvanceAppend();
  CHECK(node.raw->ApplyConfChange(add));
  node.raw->AdvanceApply();
  node.Accept(2, 4);
  CHECK(node.raw->Propose(Text("x")));
  CHECK(node.Write().messages.size() > 0);
  const LightReady& light = node.raw->AdvanceAppend();
  REQUIRE(light.messages.size() == 1);
  CHECK(light.messages[0].to == 2);
  CHECK(light.messages[0].commit == 5);
}

TEST_CASE("a new term comes with the next Ready") {
  LightNode node({1});
  node.config.pre_vote = true;
  node.Start();
  CHECK(node.raw->Campaign());
  (void)node.Write();
  const LightReady& light = node.raw->AdvanceAppend();  // The pre-vote is won.
  CHECK(node.term() == 2);
  CHECK_FALSE(light.commit_index.has_value());
  CHECK(light.messages.empty());
  const Ready& ready = node.Write();
  REQUIRE(ready.hard_state.has_value());
  CHECK(ready.hard_state->term == 2);
}

TEST_CASE("a state machine may be ahead of its log over a restart") {
  LightNode node({1, 2, 3});
  node.config.applied = 4;
  node.config.max_apply_unpersisted_log_limit = 10;
  node.Start();
  CHECK(node.applied_index() == 4);
  SECTION("what is applied is not handed out again") {
    Message append = From(2, MessageType::kApp, 2);
    append.index = 2;
    append.log_term = 1;
    append.commit = 5;
    for (const LogIndex index : {LogIndex{3}, LogIndex{4}, LogIndex{5}}) {
      append.entries.push_back({EntryType::kNormal, 2, index, Text("x")});
    }
    CHECK(node.raw->Step(append));
    (void)node.Write();
    const LightReady& light = node.raw->AdvanceAppend();
    REQUIRE(light.committed_entries.size() == 1);
    CHECK(light.committed_entries[0].index == 5);
    node.raw->AdvanceApply();
    CHECK(node.applied_index() == 5);
  }
  SECTION("an older snapshot is refused") {
    CHECK(node.raw->Step(SnapshotAt(3, 2)));
    CHECK(node.Write().snapshot == nullptr);
    CHECK(node.commit() == 2);
  }
}

Message Append(LogIndex after, LogIndex commit) {
  Message append = From(2, MessageType::kApp, 2);
  append.index = after;
  append.log_term = after == 2 ? 1 : 2;
  append.commit = commit;
  append.entries = {{EntryType::kNormal, 2, after + 1, Text("x")}};
  return append;
}

TEST_CASE("the commit index that is told is not ahead of what was written") {
  LightNode node({1, 2, 3});
  node.Start();
  CHECK(node.raw->Step(Append(2, 2)));
  (void)node.Write();
  SECTION("entries have come in since") {
    CHECK(node.raw->Step(Append(3, 4)));
    CHECK(node.raw->AdvanceAppend().commit_index == 3);
    CHECK(node.Write().hard_state->commit == 4);
  }
  SECTION("a snapshot has come in since") {
    CHECK(node.raw->Step(SnapshotAt(7, 2)));
    CHECK_FALSE(node.raw->AdvanceAppend().commit_index.has_value());
    CHECK(node.raw->GetReady().hard_state->commit == 7);
  }
}

TEST_CASE("an acknowledgement of an earlier write asks for its sync") {
  LightNode node({1, 2, 3});
  node.Start();
  CHECK(node.raw->Step(Append(2, 2)));
  (void)node.Write();
  node.raw->AdvanceAppendAsync();
  CHECK(node.raw->Step(Append(2, 2)));  // It comes twice.
  const Ready& ready = node.Write();
  CHECK(ready.entries.empty());
  REQUIRE(ready.messages.size() == 1);
  CHECK(ready.must_sync);
}

TEST_CASE("Advance tells all, whatever was told before") {
  LightNode node({1});
  node.Lead();
  (void)node.Write();
  node.raw->AdvanceAppendAsync();
  node.raw->Advance();
  CHECK(node.commit() == 3);
  (void)node.Write();
  (void)node.raw->AdvanceAppend();
  node.raw->Advance();
  CHECK(node.applied_index() == 3);
}

TEST_CASE("how far a state machine may be ahead is bounded") {
  LightNode node({1, 2, 3});
  node.config.applied = 6;
  node.config.max_apply_unpersisted_log_limit = 4;
  node.Start();
  CHECK(node.applied_index() == 6);
}

TEST_CASE("a snapshot that is applied counts once it is durable") {
  LightNode node({1, 2, 3});
  node.Start();
  CHECK(node.raw->Step(SnapshotAt(7, 2)));
  const SnapshotPtr snapshot = node.Write().snapshot;
  REQUIRE(snapshot != nullptr);
  CHECK(node.storage.ApplySnapshot(*snapshot));
  node.raw->AdvanceAppendAsync();
  node.raw->AdvanceApplyTo(7);
  CHECK(node.applied_index() == 2);
  node.raw->OnPersistReady(1);
  CHECK(node.applied_index() == 7);
}

TEST_CASE("the modes exclude each other") {
  LightNode node({1});
  node.config.async_storage_writes = true;
  CHECK(Validate(node.config).error().context ==
        "light ready and async storage writes exclude each other");
}

/// A node of a group whose disk makes writes durable late.
struct LateDisk : LightNode {
  LateDisk(std::vector<NodeId> voters, NodeId id) : LightNode(std::move(voters), id) {}

  void Work(std::mt19937& random, std::vector<Message>& network) {
    if (random() % 2 == 0 && raw->HasReady()) TakeReady(random, network);
    if (!waiting.empty() && random() % 3 == 0) {
      raw->OnPersistReady(waiting.front().ready);
      Send(waiting.front().messages, network);
      waiting.pop_front();
    }
    if (random() % 3 == 0) raw->AdvanceApply();
  }

 private:
  struct Waiting {
    uint64_t ready = 0;
    std::vector<Message> messages;
  };

  void TakeReady(std::mt19937& random, std::vector<Message>& network) {
    Ready& ready = Write();
    for (const Entry& entry : ready.committed_entries) applied.push_back(entry);
    const auto later = ready.messages.begin() + static_cast<std::ptrdiff_t>(ready.immediate_count);
    waiting.push_back({ready.number, {later, ready.messages.end()}});
    ready.messages.erase(later, ready.messages.end());
    Send(ready.messages, network);
    if (random() % 2 == 0) {
      raw->AdvanceAppendAsync();
      return;
    }
    LightReady& light = raw->AdvanceAppend();
    for (const Entry& entry : light.committed_entries) applied.push_back(entry);
    for (const Waiting& done : waiting) Send(done.messages, network);
    waiting.clear();
    Send(light.messages, network);
  }

  static void Send(const std::vector<Message>& messages, std::vector<Message>& network) {
    network.insert(network.end(), messages.begin(), messages.end());
  }

  std::deque<Waiting> waiting;
};

TEST_CASE("a group whose disks are late agrees all the same") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::vector<NodeId> ids = {1, 2, 3};
    std::vector<std::unique_ptr<LateDisk>> nodes;
    for (const NodeId id : ids) {
      nodes.push_back(std::make_unique<LateDisk>(ids, id));
      nodes.back()->Start();
    }
    CHECK(nodes[0]->raw->Campaign());
    std::vector<Message> network;
    int proposed = 0;
    for (int step = 0; step < 20000; ++step) {
      LateDisk& node = *nodes[random() % nodes.size()];
      node.Work(random, network);
      if (!network.empty() && random() % 2 == 0) {
        std::swap(network[random() % network.size()], network.back());
        Message message = std::move(network.back());
        network.pop_back();
        if (random() % 10 != 0) (void)nodes[message.to - 1]->raw->Step(std::move(message));
      }
      if (random() % 20 == 0) node.raw->Tick();
      if (proposed < 200 && step < 15000 && node.leads() && node.raw->Propose(Text("x")))
        ++proposed;
    }
    const std::vector<Entry>& longest =
        std::max({nodes[0].get(), nodes[1].get(), nodes[2].get()}, [](auto* a, auto* b) {
          return a->applied.size() < b->applied.size();
        })->applied;
    CHECK(longest.size() > 100);
    for (const auto& node : nodes) {
      REQUIRE(std::equal(node->applied.begin(), node->applied.end(), longest.begin()));
      for (size_t i = 0; i < node->applied.size(); ++i) REQUIRE(node->applied[i].index == i + 3);
    }
  }
}

}  // namespace
}  // namespace raft

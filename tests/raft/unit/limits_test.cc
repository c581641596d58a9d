// What a node holds back: sizes of messages, of what is under way, uncommitted or being applied, and snapshots that are
// not there yet.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/describe.h"
#include "tests/raft/storage_over.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::Pump;
using testing::TestNode;

Payload Bytes(size_t count) { return Payload::Copy(std::string(count, 'x')); }

/// A storage whose snapshot is not always there.
class Busy final : public StorageOver {
 public:
  using StorageOver::StorageOver;

  Result<SnapshotPtr> GetSnapshot(LogIndex at_least, NodeId to) override {
    ++asked;
    if (busy) return Fail(ErrorCode::kSnapshotUnavailable, kTextSnapshotUnavailable);
    return StorageOver::GetSnapshot(at_least, to);
  }

  bool busy = false;
  int asked = 0;
};

Message Answer(const TestNode& leader, MessageType type, LogIndex index = 0) {
  Message answer;
  answer.type = type;
  answer.from = 2;
  answer.to = 1;
  answer.term = leader.term();
  answer.index = index;
  return answer;
}

/// Node 1 leads, and node 2 is played by the test: it has all of the log so far.
void Elect(TestNode& leader) {
  leader.Start();
  CHECK(leader.raw->Campaign());
  (void)leader.RunAll();
  CHECK(leader.raw->Step(Answer(leader, MessageType::kVoteResp)));
  (void)leader.RunAll();
  REQUIRE(leader.leads());
  CHECK(leader.raw->Step(Answer(leader, MessageType::kAppResp, leader.storage.LastIndex())));
  (void)leader.RunAll();
  REQUIRE(leader.commit() == leader.storage.LastIndex());
}

ProgressStatus ProgressOfTwo(const TestNode& leader) { return leader.raw->GetStatus().progress[1]; }

/// How many entries each append among the messages to node 2 carries.
std::vector<size_t> AppendSizes(const std::vector<Message>& messages) {
  std::vector<size_t> sizes;
  for (const Message& message : messages) {
    if (message.type == MessageType::kApp && message.to == 2) {
      sizes.push_back(message.entries.size());
    }
  }
  return sizes;
}

using Sizes = std::vector<size_t>;

TEST_CASE(
    "payload bytes under way to a member are limited, the message that crosses it still goes") {
  TestNode leader(1, {1, 2});
  leader.config.max_size_per_msg = 20;
  leader.config.max_inflight_bytes = 20;
  Elect(leader);
  CHECK(leader.raw->Propose(Bytes(12)));
  CHECK(AppendSizes(leader.RunAll()) == Sizes{1});
  CHECK_FALSE(ProgressOfTwo(leader).inflight_full);
  CHECK(leader.raw->Propose(Bytes(12)));
  CHECK(AppendSizes(leader.RunAll()) == Sizes{1});
  CHECK(ProgressOfTwo(leader).inflight_full);
  CHECK(ProgressOfTwo(leader).paused);
  for (int i = 0; i < 3; ++i) CHECK(leader.raw->Propose(Bytes(3)));
  CHECK(AppendSizes(leader.RunAll()).empty());
  // An answer to a heartbeat lets one empty append through, and the window stays full.
  CHECK(leader.raw->Step(Answer(leader, MessageType::kHeartbeatResp)));
  CHECK(AppendSizes(leader.RunAll()) == Sizes{0});
  CHECK(ProgressOfTwo(leader).inflight_count == 2);
  // Room for 8 of 20 bytes: of the three that wait, two fit into a message.
  CHECK(leader.raw->Step(Answer(leader, MessageType::kAppResp, 4)));
  CHECK(AppendSizes(leader.RunAll()) == Sizes{2, 1});
  CHECK(leader.raw->Step(Answer(leader, MessageType::kAppResp, leader.storage.LastIndex())));
  (void)leader.RunAll();
  CHECK(ProgressOfTwo(leader).inflight_count == 0);
}

TEST_CASE("empty entries count nothing against the bytes under way") {
  TestNode leader(1, {1, 2});
  leader.config.max_size_per_msg = 20;
  leader.config.max_inflight_bytes = 20;
  Elect(leader);
  for (int i = 0; i < 50; ++i) {
    CHECK(leader.raw->Propose(Payload()));
    CHECK(AppendSizes(leader.RunAll()) == Sizes{1});
  }
  CHECK(ProgressOfTwo(leader).inflight_count == 50);
  CHECK_FALSE(ProgressOfTwo(leader).inflight_full);
}

TEST_CASE("a snapshot that is not there yet is asked for again with each heartbeat's answer") {
  TestNode leader(1, {1, 2, 3});
  Busy storage(leader.storage);
  leader.config.storage = &storage;
  TestNode two(2);
  TestNode three(3);
  two.Start();
  three.Start();
  leader.Start();
  const std::vector<TestNode*> all = {&leader, &two, &three};
  CHECK(leader.raw->Campaign());
  Pump(all);
  REQUIRE(leader.leads());
  CHECK(leader.raw->Propose(Bytes(1)));
  Pump({&leader, nullptr, &three});
  const ConfState members = leader.raw->GetStatus().config;
  CHECK(leader.storage.CreateSnapshot(leader.commit(), &members, Bytes(1)));
  CHECK(leader.storage.Compact(leader.commit()));
  leader.raw->ReportUnreachable(2);
  storage.busy = true;
  storage.asked = 0;
  for (int round = 1; round <= 3; ++round) {
    leader.raw->Tick();
    Pump(all);
    CHECK(storage.asked == round);
    CHECK(ProgressOfTwo(leader).state == ProgressState::kProbe);
    CHECK_FALSE(ProgressOfTwo(leader).paused);
  }
  CHECK(leader.lines.Has("because snapshot is temporarily unavailable"));
  CHECK(leader.raw->Propose(Bytes(1)));  // The others are not held up.
  Pump(all);
  CHECK(three.commit() == leader.commit());
  storage.busy = false;
  leader.raw->Tick();
  Pump(all);
  CHECK(two.commit() == leader.commit());
  CHECK(ProgressOfTwo(leader).state == ProgressState::kReplicate);
}

TEST_CASE("with nothing uncommitted a proposal of any size passes, an empty one always") {
  TestNode leader(1, {1, 2});
  leader.config.max_uncommitted_entries_size = 10;
  Elect(leader);
  const auto acknowledge = [&leader] {
    CHECK(leader.raw->Step(Answer(leader, MessageType::kAppResp, leader.storage.LastIndex())));
    (void)leader.RunAll();
  };
  const std::vector<Payload> batch = {Bytes(30), Bytes(30)};
  CHECK(leader.raw->ProposeBatch(batch));
  CHECK_FALSE(leader.raw->Propose(Bytes(1)));
  for (int i = 0; i < 3; ++i) CHECK(leader.raw->Propose(Payload()));
  CHECK(leader.raw->Propose(Payload::Copy("")));
  (void)leader.RunAll();
  CHECK_FALSE(leader.raw->Propose(Bytes(1)));
  acknowledge();
  // Up to the limit, not beyond; and what was refused counts for nothing.
  CHECK(leader.raw->Propose(Bytes(4)));
  CHECK_FALSE(leader.raw->Propose(Bytes(7)));
  CHECK_FALSE(leader.raw->ProposeBatch(batch));
  CHECK(leader.raw->Propose(Bytes(6)));
  CHECK_FALSE(leader.raw->Propose(Bytes(1)));
  CHECK(leader.lines.Has("would exceed uncommitted entry size limit; dropping proposal"));
  (void)leader.RunAll();
  acknowledge();
  CHECK(leader.raw->Propose(Bytes(99)));
}

TEST_CASE("what was uncommitted in an earlier term is forgotten") {
  TestNode leader(1, {1, 2});
  leader.config.max_uncommitted_entries_size = 10;
  Elect(leader);
  CHECK(leader.raw->Propose(Bytes(99)));
  CHECK_FALSE(leader.raw->Propose(Bytes(1)));
  Message higher = Answer(leader, MessageType::kHeartbeat);
  ++higher.term;
  CHECK(leader.raw->Step(higher));
  (void)leader.RunAll();
  CHECK(leader.raw->Campaign());
  (void)leader.RunAll();
  CHECK(leader.raw->Step(Answer(leader, MessageType::kVoteResp)));
  (void)leader.RunAll();
  REQUIRE(leader.leads());
  CHECK(leader.raw->Propose(Bytes(99)));
}

/// Commits `count` entries of 10 bytes that wait to be handed out.
void CommitMany(TestNode& leader, size_t count) {
  const std::vector<Payload> batch(count, Bytes(10));
  CHECK(leader.raw->ProposeBatch(batch));
  (void)leader.RunReady();
  CHECK(leader.raw->Step(Answer(leader, MessageType::kAppResp, leader.storage.LastIndex())));
  REQUIRE(leader.commit() == leader.storage.LastIndex());
}

TEST_CASE("committed entries come in Readies of limited size") {
  const uint64_t one = EncodedSize(Entry{EntryType::kNormal, 2, 5, Bytes(10)});
  struct Case {
    uint64_t limit, max_size_per_msg;
    Sizes readies;
  };
  for (const Case& c : std::vector<Case>{{1, kNoLimit, {1, 1, 1, 1, 1}},
                                         {2 * one - 1, kNoLimit, {1, 1, 1, 1, 1}},
                                         {2 * one, kNoLimit, {2, 2, 1}},
                                         {5 * one, 0, {5}},
                                         {0, 3 * one, {3, 2}},  // 0: as a message.
                                         {0, 0, {1, 1, 1, 1, 1}}}) {
    INFO(c.limit << " " << c.max_size_per_msg);
    TestNode leader(1, {1, 2});
    leader.config.max_committed_size_per_ready = c.limit;
    leader.config.max_size_per_msg = c.max_size_per_msg;
    Elect(leader);
    CommitMany(leader, 5);
    Sizes readies;
    while (leader.raw->HasReady()) {
      const size_t before = leader.applied.size();
      (void)leader.RunReady();
      if (leader.applied.size() > before) readies.push_back(leader.applied.size() - before);
    }
    CHECK(readies == c.readies);
    CHECK(leader.raw->GetBasicStatus().applied == leader.commit());
  }
}

TEST_CASE("asynchronous writes: the limit is on all that is not yet acknowledged as applied") {
  const uint64_t one = EncodedSize(Entry{EntryType::kNormal, 1, 4, Bytes(10)});
  TestNode node(1, {1});
  node.config.async_storage_writes = true;
  node.config.max_committed_size_per_ready = 2 * one;
  node.Start();
  std::vector<Message> applies;
  // Writes are done at once, applying waits.
  const auto run = [&node, &applies] {
    while (node.raw->HasReady()) {
      std::vector<Message> work = std::move(node.raw->GetReady().messages);
      for (Message& message : work) {
        if (message.to == kApplyThread) {
          applies.push_back(std::move(message));
        } else if (message.to == kAppendThread) {
          node.storage.Append(message.entries);
          for (const Message& response : message.responses) CHECK(node.raw->Step(response));
        }
      }
    }
  };
  const auto finish_first = [&node, &applies] {
    Message work = std::move(applies.front());
    applies.erase(applies.begin());
    for (const Message& response : work.responses) CHECK(node.raw->Step(response));
  };
  CHECK(node.raw->Campaign());
  run();
  REQUIRE(applies.size() == 1);  // The leader's own empty entry, smaller than the others.
  CHECK(node.raw->ProposeBatch(std::vector<Payload>(5, Bytes(10))));
  run();
  REQUIRE(applies.size() == 2);
  CHECK(applies[1].entries.size() == 1);
  finish_first();
  run();
  REQUIRE(applies.size() == 2);
  CHECK(applies[1].entries.size() == 1);
  finish_first();
  finish_first();
  run();
  REQUIRE(applies.size() == 1);
  CHECK(applies[0].entries.size() == 2);
  finish_first();
  run();
  REQUIRE(applies.size() == 1);
  CHECK(applies[0].entries.size() == 1);
  finish_first();
  CHECK(node.raw->GetBasicStatus().applied == node.commit());
}

}  // namespace
}  // namespace raft

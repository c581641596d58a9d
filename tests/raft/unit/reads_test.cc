#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::Pump;
using testing::TestNode;

struct Readers {
  explicit Readers(ReadOnlyOption option = ReadOnlyOption::kSafe) {
    for (TestNode* node : all) {
      node->config.read_only_option = option;
      node->config.check_quorum = option == ReadOnlyOption::kLeaseBased;
      node->Start();
    }
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

std::vector<std::string> Answers(const TestNode& node) {
  std::vector<std::string> answers;
  for (const ReadState& read : node.reads) {
    answers.push_back(fmt::format("{}@{}", read.context.view(), read.index));
  }
  return answers;
}

TEST_CASE("a safe read waits for a quorum") {
  Readers readers;
  readers.Elect();
  readers.one.raw->ReadIndex(Payload::Copy("a"));
  (void)readers.one.RunAll();  // Its heartbeats get lost.
  CHECK(readers.one.reads.empty());
  readers.one.raw->Tick();
  const std::vector<TestNode*> pair = {&readers.one, &readers.two};
  Pump(pair);
  CHECK(Answers(readers.one) == std::vector<std::string>{"a@3"});
}

TEST_CASE("one round of heartbeats confirms all reads before it, in order") {
  Readers readers;
  readers.Elect();
  for (const char* context : {"a", "b", "c"}) {
    readers.one.raw->ReadIndex(Payload::Copy(context));
  }
  std::vector<Message> sent = readers.one.RunAll();
  REQUIRE(sent.size() == 6);
  CHECK(readers.two.raw->Step(sent[2]));  // The second of the rounds, to node 2.
  for (Message& message : readers.two.RunAll()) CHECK(readers.one.raw->Step(std::move(message)));
  (void)readers.one.RunAll();
  CHECK(Answers(readers.one) == std::vector<std::string>{"a@3", "b@3"});
}

TEST_CASE("a follower's read goes over the leader") {
  Readers readers;
  readers.two.raw->ReadIndex(Payload::Copy("lost"));
  readers.Elect();
  readers.two.raw->ReadIndex(Payload::Copy("a"));
  Pump(readers.all);
  CHECK(Answers(readers.two) == std::vector<std::string>{"a@3"});
  CHECK(readers.one.reads.empty());
}

TEST_CASE("a leader answers no read before an entry of its term is committed") {
  for (const ReadOnlyOption option : {ReadOnlyOption::kSafe, ReadOnlyOption::kLeaseBased}) {
    Readers readers(option);
    CHECK(readers.one.raw->Campaign());
    std::vector<Message> votes;
    for (Message& message : readers.one.RunAll()) {
      TestNode& voter = *readers.all[message.to - 1];
      CHECK(voter.raw->Step(std::move(message)));
      for (Message& vote : voter.RunAll()) votes.push_back(std::move(vote));
    }
    CHECK(readers.one.raw->Step(std::move(votes[0])));
    REQUIRE(readers.one.leads());
    readers.one.raw->ReadIndex(Payload::Copy("a"));
    Pump(readers.all);
    CHECK(Answers(readers.one) == std::vector<std::string>{"a@3"});
  }
}

TEST_CASE("with a lease the leader answers by itself") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  readers.one.raw->ReadIndex(Payload::Copy("a"));
  CHECK(readers.one.RunAll().empty());
  CHECK(Answers(readers.one) == std::vector<std::string>{"a@3"});
}

TEST_CASE("the only voter answers by itself, once it has committed") {
  TestNode node(1, {1});
  node.Start();
  CHECK(node.raw->Campaign());
  (void)node.RunReady();
  REQUIRE(node.leads());
  node.raw->ReadIndex(Payload::Copy("a"));
  CHECK(node.reads.empty());
  (void)node.RunAll();
  node.raw->ReadIndex(Payload::Copy("b"));
  (void)node.RunAll();
  CHECK(Answers(node) == std::vector<std::string>{"a@3", "b@3"});
}

TEST_CASE("reads do not outlive the leadership") {
  Readers readers;
  readers.Elect();
  readers.one.raw->ReadIndex(Payload::Copy("a"));
  (void)readers.one.RunAll();
  Message higher;
  higher.type = MessageType::kHeartbeat;
  higher.from = 2;
  higher.to = 1;
  higher.term = 9;
  CHECK(readers.one.raw->Step(higher));
  (void)readers.one.RunAll();
  CHECK(readers.one.raw->Campaign());
  Pump(readers.all);
  CHECK(readers.one.leads());
  CHECK(readers.one.reads.empty());
}

TEST_CASE("a read that waited for a member that is removed is answered") {
  TestNode one(1, {1, 2});
  TestNode two(2, {1, 2});
  one.Start();
  two.Start();
  CHECK(one.raw->Campaign());
  const std::vector<TestNode*> both = {&one, &two};
  Pump(both);
  REQUIRE(one.leads());
  CHECK(one.raw->ProposeConfChange(ConfChange{0, ConfChangeType::kRemoveNode, 2, {}}));
  for (Message& message : one.RunAll()) CHECK(two.raw->Step(std::move(message)));
  std::vector<Message> acknowledged = two.RunAll();
  one.raw->ReadIndex(Payload::Copy("a"));
  (void)one.RunAll();
  CHECK(one.reads.empty());
  for (Message& message : acknowledged) CHECK(one.raw->Step(std::move(message)));
  (void)one.RunAll();
  CHECK(Answers(one) == std::vector<std::string>{"a@3"});
}

TEST_CASE("nonsense in a heartbeat answer confirms nothing") {
  Readers readers;
  readers.Elect();
  readers.one.raw->ReadIndex(Payload::Copy("a"));
  (void)readers.one.RunAll();
  for (const std::string& context : {std::string("a"), std::string(8, '\xff'), std::string(9, 1)}) {
    Message answer;
    answer.type = MessageType::kHeartbeatResp;
    answer.from = 2;
    answer.to = 1;
    answer.term = readers.one.term();
    answer.context = Payload::Copy(context);
    CHECK(readers.one.raw->Step(answer));
  }
  (void)readers.one.RunAll();
  CHECK(readers.one.reads.empty());
}

}  // namespace
}  // namespace raft

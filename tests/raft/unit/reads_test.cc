#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
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
    KeepPromises();
    CHECK(one.raw->Campaign());
    Pump(all);
    REQUIRE(one.leads());
  }
  /// Until what was promised before the start has run out; nobody campaigns meanwhile.
  void KeepPromises() {
    for (TestNode* node : all) {
      node->raw->SetRandomizedElectionTimeout(1000);
      for (uint32_t i = 0; i < node->config.election_tick; ++i) node->raw->Tick();
    }
  }
  /// True if node one answers a read by itself.
  bool OneAnswersAlone() {
    one.reads.clear();
    one.raw->ReadIndex(Payload::Copy("alone"));
    (void)one.RunAll();
    return !one.reads.empty();
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
    readers.KeepPromises();
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

TEST_CASE("with a lease the leader answers by itself, without one as a safe leader") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  CHECK_FALSE(readers.OneAnswersAlone());  // No heartbeat was answered yet.
  Pump(readers.all);
  CHECK(Answers(readers.one).empty());  // Its heartbeats went out in the check, and got lost.
  readers.one.raw->Tick();
  Pump(readers.all);
  CHECK(Answers(readers.one) == std::vector<std::string>{"alone@3"});
  CHECK(readers.OneAnswersAlone());
  readers.one.raw->ReadIndex(Payload::Copy("a"));
  CHECK(readers.one.RunAll().empty());
}

TEST_CASE("a leader that is cut off has no lease when another is elected") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  readers.one.raw->Tick();
  Pump(readers.all);
  readers.two.raw->SetRandomizedElectionTimeout(10);
  readers.three.raw->SetRandomizedElectionTimeout(1000);
  int answered = 0;
  for (int i = 0; i < 30 && !readers.two.leads(); ++i) {
    readers.two.raw->Tick();
    readers.three.raw->Tick();
    Pump({nullptr, &readers.two, &readers.three});
    if (!readers.two.leads() && readers.OneAnswersAlone()) ++answered;
    if (readers.two.leads()) CHECK_FALSE(readers.OneAnswersAlone());
    readers.one.raw->Tick();
    (void)readers.one.RunAll();
  }
  CHECK(readers.two.leads());
  CHECK(readers.one.leads());  // It has not noticed.
  CHECK(answered == 8);        // election_tick - lease_margin.
}

TEST_CASE("a leader gives its lease up with the first hand-over it asks for") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  readers.one.raw->Tick();
  Pump(readers.all);
  CHECK(readers.OneAnswersAlone());
  readers.one.raw->TransferLeader(2);
  std::vector<Message> asked = readers.one.RunAll();
  CHECK_FALSE(readers.OneAnswersAlone());
  // The hand-over is given up, but what asked for it may still be on its way.
  for (int i = 0; i < 12; ++i) {
    readers.one.raw->Tick();
    Pump(readers.all);
  }
  REQUIRE(readers.one.leads());
  CHECK_FALSE(readers.OneAnswersAlone());
  for (Message& message : asked) {
    if (message.type == MessageType::kTimeoutNow) CHECK(readers.two.raw->Step(std::move(message)));
  }
  Pump({nullptr, &readers.two, &readers.three});
  CHECK(readers.two.leads());
  CHECK_FALSE(readers.OneAnswersAlone());
}

TEST_CASE("who is the only voter left keeps what it promised to a leader that was removed") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  readers.one.raw->Tick();
  Pump(readers.all);
  for (TestNode* node : {&readers.one, &readers.two}) {
    for (const NodeId gone : {NodeId{3}, NodeId{1}}) {
      CHECK(node->raw->ApplyConfChange(ConfChange{0, ConfChangeType::kRemoveNode, gone, {}}));
    }
  }
  CHECK(readers.OneAnswersAlone());  // It leads on, and counts on the promise of two.
  CHECK(readers.two.raw->Campaign());
  Pump({nullptr, &readers.two});
  CHECK_FALSE(readers.two.leads());
  for (uint32_t i = 0; i < readers.two.config.election_tick; ++i) readers.two.raw->Tick();
  CHECK(readers.two.raw->Campaign());
  Pump({nullptr, &readers.two});
  CHECK(readers.two.leads());
}

TEST_CASE("who has answered a heartbeat elects nobody for a while, whatever comes in between") {
  Readers readers(ReadOnlyOption::kLeaseBased);
  readers.Elect();
  readers.one.raw->Tick();
  Pump(readers.all);
  TestNode& voter = readers.two;
  bool restarts = false;
  SECTION("a message of a higher term, after which it knows no leader") {
    Message late;
    late.type = MessageType::kPreVoteResp;
    late.from = 3;
    late.to = 2;
    late.term = voter.term() + 1;
    late.reject = true;
    CHECK(voter.raw->Step(late));
    CHECK(voter.raw->GetBasicStatus().soft_state.leader == kNoNode);
  }
  SECTION("a restart") {
    restarts = true;
    voter.Start();
  }
  (void)voter.RunAll();
  Message vote;
  vote.type = MessageType::kVote;
  vote.from = 3;
  vote.to = 2;
  vote.term = voter.term() + (restarts ? 1 : 0);
  vote.index = 99;
  vote.log_term = voter.term();
  const auto votes = [&] {
    Message copy = vote;
    CHECK(voter.raw->Step(std::move(copy)));
    for (const Message& answer : voter.RunAll()) {
      if (answer.type == MessageType::kVoteResp && !answer.reject) return true;
    }
    return false;
  };
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(votes());
    CHECK(voter.raw->Campaign());
    CHECK(voter.raw->GetBasicStatus().soft_state.role == Role::kFollower);
    voter.raw->SetRandomizedElectionTimeout(1000);
    voter.raw->Tick();
  }
  CHECK(votes());
}

TEST_CASE("a node with nothing on its disk promises a leader nothing before its write") {
  TestNode fresh(1, {});
  fresh.config.check_quorum = true;
  bool lease = true;
  SECTION("that counts on it") { fresh.config.read_only_option = ReadOnlyOption::kLeaseBased; }
  SECTION("without a lease it may") { lease = false; }
  fresh.Start();
  CHECK(fresh.raw->Step(From(2, MessageType::kHeartbeat, 5)));
  const Ready& ready = fresh.raw->GetReady();
  REQUIRE(ready.messages.size() == 1);
  CHECK(ready.messages[0].type == MessageType::kHeartbeatResp);
  REQUIRE(ready.hard_state);
  CHECK(ready.hard_state->term == 5);
  CHECK(ready.immediate_count == (lease ? 0 : 1));
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

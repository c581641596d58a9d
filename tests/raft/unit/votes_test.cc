// What a vote request tells of must be durable before anybody may answer it (thesis 3.8).
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/raw_node.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::TestNode;
using testing::Trio;

enum class Mode { kSynchronous, kInParts, kAsynchronous };

void Use(TestNode& node, Mode mode) {
  node.config.light_ready = mode == Mode::kInParts;
  node.config.async_storage_writes = mode == Mode::kAsynchronous;
}

/// What a host may send of a Ready before anything of it is durable.
std::vector<Message> SentAtOnce(TestNode& node) {
  const Ready& ready = node.raw->GetReady();
  std::vector<Message> sent;
  for (size_t i = 0; i < ready.immediate_count; ++i) {
    if (ready.messages[i].to < kApplyThread) sent.push_back(ready.messages[i]);
  }
  return sent;
}

TEST_CASE("nobody is asked for a vote of a term that may be lost") {
  const Mode mode = GENERATE(Mode::kSynchronous, Mode::kInParts, Mode::kAsynchronous);
  TestNode node(1);
  Use(node, mode);
  node.Start();
  CHECK(node.raw->Campaign());
  SECTION("else the node could lead the same term again after a crash") {
    CHECK(SentAtOnce(node).empty());
  }
  SECTION("a host may do as etcd does") {
    node.config.hold_votes = false;
    node.Start();
    CHECK(node.raw->Campaign());
    CHECK(SentAtOnce(node).size() == 2);
  }
}

TEST_CASE("nobody is asked for a vote with a log that may be lost") {
  const Mode mode = GENERATE(Mode::kSynchronous, Mode::kInParts, Mode::kAsynchronous);
  TestNode node(1);
  Use(node, mode);
  node.Start();
  Message append = From(2, MessageType::kApp, 2);
  append.index = 2;
  append.log_term = 1;
  append.entries = {{EntryType::kNormal, 2, 3, Payload::Copy("x")}};
  CHECK(node.raw->Step(append));
  CHECK(node.raw->Campaign());
  CHECK(SentAtOnce(node).empty());
}

TEST_CASE("requests come with the writes that they wait for") {
  TestNode node(1);
  Use(node, Mode::kAsynchronous);
  node.Start();
  CHECK(node.raw->Campaign());
  const Ready& ready = node.raw->GetReady();
  REQUIRE(ready.messages.size() == 1);
  const Message& append = ready.messages[0];
  CHECK(append.to == kAppendThread);
  CHECK(append.term == 2);
  std::vector<NodeId> asked;
  for (const Message& response : append.responses) {
    if (response.type == MessageType::kVote) asked.push_back(response.to);
  }
  CHECK(asked == std::vector<NodeId>{2, 3});
}

TEST_CASE("a question for pre-votes binds nobody, and goes at once") {
  TestNode node(1);
  node.config.pre_vote = true;
  node.Start();
  CHECK(node.raw->Campaign());
  CHECK(SentAtOnce(node).size() == 2);
}

}  // namespace
}  // namespace raft

// Changing the members of a group of one or two: what raft/README.md warns of, and the ways around it.
#include <vector>

#include <catch2/catch.hpp>

#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::Pump;
using testing::TestNode;

ConfChange Change(ConfChangeType type, NodeId id) { return {0, type, id, {}}; }

/// Voters 1 and 2, led by 1; 3 stands by.
struct Pair {
  Pair() : one(1, {1, 2}), two(2, {1, 2}), three(3, {}) {
    for (TestNode* node : {&one, &two, &three}) node->Start();
    CHECK(one.raw->Campaign());
    Pump({&one, &two});
    REQUIRE(one.leads());
  }

  /// The second gets what the first has proposed, and the first hears of it and commits: which the second is not told.
  void CommitUntold() {
    for (Message& message : one.RunAll()) CHECK(two.raw->Step(std::move(message)));
    for (Message& message : two.RunAll()) CHECK(one.raw->Step(std::move(message)));
    (void)one.RunAll();
  }

  TestNode one;
  TestNode two;
  TestNode three;
};

/// Some heartbeats of the leader: a new member is sent a snapshot first, and goes on with the next one.
void Run(TestNode& leader, const std::vector<TestNode*>& alive) {
  for (int i = 0; i < 5; ++i) {
    leader.raw->Tick();
    Pump(alive);
  }
}

std::vector<NodeId> Voters(const TestNode& node) { return node.raw->GetStatus().config.voters; }

bool Commits(TestNode& leader, const std::vector<TestNode*>& alive) {
  const LogIndex before = leader.commit();
  CHECK(leader.raw->Propose(Payload::Copy("x")));
  Pump(alive);
  return leader.commit() > before;
}

TEST_CASE("a second voter that never starts stops the group, for good") {
  TestNode one(1, {1});
  one.Start();
  CHECK(one.raw->Campaign());
  Pump({&one});
  CHECK(one.raw->ProposeConfChange(Change(ConfChangeType::kAddNode, 2)));
  Pump({&one});
  REQUIRE(Voters(one) == std::vector<NodeId>{1, 2});
  CHECK_FALSE(Commits(one, {&one}));
  // What would take it back needs its vote as well.
  CHECK(one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 2)));
  Pump({&one});
  CHECK(Voters(one) == std::vector<NodeId>{1, 2});
}

TEST_CASE("a learner that never starts stops nothing, and can be taken back") {
  TestNode one(1, {1});
  one.Start();
  CHECK(one.raw->Campaign());
  Pump({&one});
  CHECK(one.raw->ProposeConfChange(Change(ConfChangeType::kAddLearnerNode, 2)));
  Pump({&one});
  CHECK(Commits(one, {&one}));
  CHECK(one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 2)));
  Pump({&one});
  CHECK(one.raw->GetStatus().config.learners.empty());
}

TEST_CASE("a dead one of two cannot be removed") {
  Pair pair;
  CHECK(pair.one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 2)));
  Pump({&pair.one});
  CHECK(Voters(pair.one) == std::vector<NodeId>{1, 2});
}

TEST_CASE("one of two that is removed and has not heard of it is worth nothing alone") {
  Pair pair;
  CHECK(pair.one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 2)));
  pair.CommitUntold();
  REQUIRE(Voters(pair.one) == std::vector<NodeId>{1});
  // The first one dies now. The second has the entry, but not that it is committed, and nobody is left to
  // tell it: it waits for the other's vote for ever.
  CHECK(Voters(pair.two) == std::vector<NodeId>{1, 2});
  for (int i = 0; i < 100; ++i) {
    pair.two.raw->Tick();
    Pump({nullptr, &pair.two});
  }
  CHECK_FALSE(pair.two.leads());
}

TEST_CASE("a leader of two that removes itself and stops at once leaves nobody to lead") {
  Pair pair;
  CHECK(pair.one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 1)));
  pair.CommitUntold();
  REQUIRE(Voters(pair.one) == std::vector<NodeId>{2});
  CHECK(pair.two.raw->Campaign());
  Pump({nullptr, &pair.two});
  CHECK_FALSE(pair.two.leads());
}

TEST_CASE("a leader of two that leads on until the other knows may go then") {
  Pair pair;
  CHECK(pair.one.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 1)));
  Pump({&pair.one, &pair.two});
  REQUIRE(Voters(pair.two) == std::vector<NodeId>{2});
  CHECK(pair.two.raw->Campaign());
  Pump({nullptr, &pair.two});
  CHECK(pair.two.leads());
}

TEST_CASE("a leader of two that hands over first can be removed by its successor") {
  Pair pair;
  pair.one.raw->TransferLeader(2);
  Pump({&pair.one, &pair.two});
  REQUIRE(pair.two.leads());
  CHECK(pair.two.raw->ProposeConfChange(Change(ConfChangeType::kRemoveNode, 1)));
  Pump({&pair.one, &pair.two});
  CHECK(Voters(pair.two) == std::vector<NodeId>{2});
  CHECK(Commits(pair.two, {nullptr, &pair.two}));
}

TEST_CASE("one of two is replaced in a joint change, while both live") {
  Pair pair;
  const std::vector<TestNode*> all = {&pair.one, &pair.two, &pair.three};
  CHECK(pair.one.raw->ProposeConfChange(Change(ConfChangeType::kAddLearnerNode, 3)));
  Pump({&pair.one, &pair.two});
  // The snapshot that is there knows nothing of the third node, which would refuse it.
  const ConfState members = pair.one.raw->GetStatus().config;
  REQUIRE(pair.one.storage.CreateSnapshot(pair.one.commit(), &members, {}));
  pair.one.raw->ReportSnapshot(3, SnapshotStatus::kFailure);
  Run(pair.one, all);
  ConfChangeV2 swap;
  swap.changes = {{ConfChangeType::kAddNode, 3}, {ConfChangeType::kRemoveNode, 2}};
  SECTION("both live") {
    CHECK(pair.one.raw->ProposeConfChange(swap));
    Run(pair.one, all);
    CHECK(Voters(pair.one) == std::vector<NodeId>{1, 3});
    CHECK(pair.one.raw->GetStatus().config.voters_outgoing.empty());
    CHECK(Commits(pair.one, {&pair.one, nullptr, &pair.three}));
  }
  SECTION("the one that goes is dead already") {
    CHECK(pair.one.raw->ProposeConfChange(swap));
    Pump({&pair.one, nullptr, &pair.three});
    CHECK(Voters(pair.one) == std::vector<NodeId>{1, 2});
  }
}

TEST_CASE("a node that comes back without its log is found out, not followed into") {
  Pair pair;
  CHECK(Commits(pair.one, {&pair.one, &pair.two}));
  TestNode empty(2, {1, 2});  // Under the old name, from the group's first snapshot.
  empty.Start();
  for (int i = 0; i < 2; ++i) pair.one.raw->Tick();
  bool lost = false;
  for (Message& message : pair.one.RunAll()) {
    const Result<void> stepped = empty.raw->Step(std::move(message));
    lost |= !stepped && stepped.error().code == ErrorCode::kLogLost;
  }
  CHECK(lost);
}

}  // namespace
}  // namespace raft

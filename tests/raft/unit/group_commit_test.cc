// Group commit at a node; the rule itself is in quorum_test.cc.
#include <vector>

#include <catch2/catch.hpp>

#include "raft/raw_node.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::Pump;
using testing::TestNode;
using testing::Trio;

/// Node 1 leads; its proposals reach only the members that answer.
struct Sites : Trio {
  Sites() {
    Start();
    Elect();
  }
  void Assign(const std::vector<CommitGroup>& groups) { one.raw->AssignCommitGroups(groups); }
  LogIndex Propose(const std::vector<TestNode*>& reached) {
    CHECK(one.raw->Propose(Payload::Copy("x")));
    Pump(reached);
    return one.commit();
  }
};

TEST_CASE("an entry waits for a second group") {
  Sites sites;
  sites.one.raw->EnableGroupCommit(true);
  sites.Assign({{1, 1}, {2, 1}, {3, 2}});
  CHECK(sites.Propose({&sites.one, &sites.two}) == 3);
  CHECK(sites.one.raw->IsCommittedByGroups() == true);
  SECTION("the second group has it") {
    sites.one.raw->Tick();
    Pump(sites.all);
    CHECK(sites.one.commit() == 4);
    CHECK(sites.one.raw->IsCommittedByGroups() == true);
  }
  SECTION("turned off, the majority decides") {
    sites.one.raw->EnableGroupCommit(false);
    CHECK(sites.one.commit() == 4);
    Pump(sites.all);
    CHECK(sites.two.commit() == 4);
    CHECK(sites.one.raw->IsCommittedByGroups() == false);
  }
  SECTION("other groups decide at once") {
    sites.Assign({{2, 3}, {7, 9}});
    CHECK(sites.one.commit() == 4);
  }
  SECTION("without groups all must have it") {
    sites.one.raw->ClearCommitGroups();
    CHECK(sites.one.commit() == 3);
    sites.one.raw->Tick();
    Pump(sites.all);
    CHECK(sites.one.commit() == 4);
    CHECK(sites.one.raw->IsCommittedByGroups() == false);
  }
}

TEST_CASE("with all voters in one group the majority decides alone") {
  Sites sites;
  sites.one.raw->EnableGroupCommit(true);
  sites.Assign({{1, 5}, {2, 5}, {3, 5}});
  CHECK(sites.Propose({&sites.one, &sites.two}) == 4);
  CHECK(sites.one.raw->IsCommittedByGroups() == false);
}

TEST_CASE("groups without group commit change nothing") {
  Sites sites;
  sites.Assign({{1, 1}, {2, 1}, {3, 2}});
  CHECK(sites.Propose({&sites.one, &sites.two}) == 4);
}

TEST_CASE("only a leader that knows the membership can tell") {
  Trio trio;
  trio.Start();
  CHECK_FALSE(trio.one.raw->IsCommittedByGroups().has_value());
  CHECK(trio.one.raw->Campaign());
  (void)trio.one.RunAll();
  CHECK(trio.one.raw->Step(From(2, MessageType::kVoteResp, trio.one.term())));
  REQUIRE(trio.one.leads());
  CHECK_FALSE(trio.one.raw->IsCommittedByGroups().has_value());
  Pump(trio.all);
  CHECK(trio.one.raw->IsCommittedByGroups().has_value());
}

TEST_CASE("groups outlast a change of members, and new members are in none") {
  Sites sites;
  sites.one.raw->EnableGroupCommit(true);
  sites.Assign({{1, 1}, {2, 2}, {3, 2}});
  CHECK(sites.one.raw->ProposeConfChange(ConfChange{0, ConfChangeType::kAddNode, 4, {}}));
  Pump(sites.all);
  // Three of four, of two groups.
  CHECK(sites.Propose(sites.all) == 5);
  CHECK(sites.one.raw->IsCommittedByGroups() == true);
}

}  // namespace
}  // namespace raft

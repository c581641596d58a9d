// What TiKV's Raft adds to etcd's: all of it is off unless an option turns it on.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "raft/raw_node.h"
#include "tests/raft/unit/testing.h"

namespace raft {
namespace {

using testing::From;
using testing::Pump;
using testing::TestNode;
using testing::Text;
using testing::Trio;

std::vector<Message> OfType(const std::vector<Message>& messages, MessageType type) {
  std::vector<Message> chosen;
  for (const Message& message : messages) {
    if (message.type == type) chosen.push_back(message);
  }
  return chosen;
}

TEST_CASE("a voter refuses a candidate of lower priority with no longer log") {
  struct Case {
    int64_t own;
    int64_t candidate;
    LogIndex candidate_last;
    bool granted;
  };
  const Case c = GENERATE(values<Case>({{0, 0, 2, true},
                                        {0, -1, 2, false},
                                        {3, 2, 2, false},
                                        {3, 3, 2, true},
                                        {3, 4, 2, true},
                                        {3, 2, 3, true},
                                        {-5, -4, 2, true}}));
  const MessageType type = GENERATE(MessageType::kVote, MessageType::kPreVote);
  CAPTURE(c.own, c.candidate, c.candidate_last);
  TestNode node(1);
  node.config.priority = c.own;
  node.Start();
  Message request = From(2, type, 2);
  request.index = c.candidate_last;
  request.log_term = 1;
  request.priority = c.candidate;
  CHECK(node.raw->Step(request));
  const std::vector<Message> answers = node.RunAll();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].reject != c.granted);
}

TEST_CASE("a candidate tells its priority, as it is now") {
  const bool pre_vote = GENERATE(false, true);
  TestNode node(1);
  node.config.priority = 7;
  node.config.pre_vote = pre_vote;
  node.Start();
  node.raw->SetPriority(-2);
  CHECK(node.raw->Campaign());
  const std::vector<Message> requests = node.RunAll();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].priority == -2);
}

TEST_CASE("the random election timeout is drawn from its range") {
  struct Case {
    uint32_t min;
    uint32_t max;
    uint64_t bound;
    uint32_t ticks;  // With the largest random number.
  };
  const Case c =
      GENERATE(values<Case>({{0, 0, 10, 19}, {12, 0, 8, 19}, {0, 15, 5, 14}, {13, 14, 1, 13}}));
  TestNode node(1);
  node.config.min_election_tick = c.min;
  node.config.max_election_tick = c.max;
  uint64_t asked = 0;
  node.config.random = [&asked](uint64_t bound) {
    asked = bound;
    return bound - 1;
  };
  node.Start();
  CHECK(asked == c.bound);
  for (uint32_t tick = 1; tick < c.ticks; ++tick) node.raw->Tick();
  CHECK_FALSE(node.raw->HasReady());
  node.raw->Tick();
  CHECK(node.raw->HasReady());
}

TEST_CASE("an impossible range of election timeouts is refused") {
  TestNode node(1);
  node.config.min_election_tick = 9;
  CHECK(Validate(node.config).error().context ==
        "min election tick 9 must not be less than election_tick 10");
  node.config.min_election_tick = 20;
  CHECK(Validate(node.config).error().context ==
        "min election tick 20 should be less than max election tick 20");
}

/// A node whose log ends at 4 (term 1), committed to 2.
struct Behind : TestNode {
  explicit Behind(bool commit_by_vote) : TestNode(1) {
    config.commit_by_vote = commit_by_vote;
    const ConfChange change{0, ConfChangeType::kAddLearnerNode, 9, {}};
    storage.Append({{EntryType::kConfChange, 1, 3, Encode(change)}, {{}, 1, 4, Text("x")}});
    storage.SetHardState({2, 3, 2});  // It has voted for node 3.
    Start();
  }
};

TEST_CASE("a voter that refuses commits what the candidate has committed") {
  struct Case {
    bool option;
    LogIndex commit;
    Term term;
    LogIndex committed;
  };
  const Case c = GENERATE(values<Case>({{true, 3, 1, 3},
                                        {true, 4, 1, 4},
                                        {true, 4, 2, 2},
                                        {true, 5, 1, 4},
                                        {true, 1, 1, 2},
                                        {true, 3, 0, 2},
                                        {false, 3, 1, 2}}));
  CAPTURE(c.option, c.commit, c.term);
  Behind node(c.option);
  Message request = From(2, MessageType::kVote, 2);
  request.index = std::max<LogIndex>(c.commit, 3);
  request.log_term = std::max<Term>(c.term, 1);
  request.commit = c.commit;
  request.commit_term = c.term;
  CHECK(node.raw->Step(request));
  CHECK(node.commit() == c.committed);
  const std::vector<Message> answers = node.RunAll();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].reject);
  CHECK(answers[0].commit_term == (c.option ? 1 : 0));
  // A refusal tells what the voter knew when it refused.
  CHECK(answers[0].commit == (c.option ? 2 : 0));
}

TEST_CASE("a candidate gives up when a refusal commits a membership change") {
  Behind node(true);
  CHECK(node.raw->Campaign());
  const std::vector<Message> requests = node.RunAll();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].commit == 2);
  CHECK(requests[0].commit_term == 1);
  Message refusal = From(2, MessageType::kVoteResp, 3);
  refusal.reject = true;
  refusal.commit = 3;
  refusal.commit_term = 1;
  CHECK(node.raw->Step(refusal));
  CHECK(node.raw->GetBasicStatus().soft_state.role == Role::kFollower);
  CHECK(node.commit() == 3);
}

/// A leader of three that does not announce commit indexes; the others know the first.
struct Quiet : Trio {
  Quiet() {
    one.config.skip_bcast_commit = true;
    Start();
    Elect();
    one.raw->Tick();
    Pump(all);
  }
};

TEST_CASE("a commit index waits for the next entries or heartbeat where it is not announced") {
  Quiet trio;
  CHECK(trio.one.raw->Propose(Text("x")));
  Pump(trio.all);
  CHECK(trio.one.commit() == 4);
  CHECK(trio.two.commit() == 3);
  SECTION("a heartbeat brings it") { trio.one.raw->Tick(); }
  SECTION("the next entry brings it") { CHECK(trio.one.raw->Propose(Text("y"))); }
  SECTION("the option may be turned off again") {
    trio.one.raw->SetSkipBcastCommit(false);
    CHECK(trio.one.raw->Propose(Text("y")));
    Pump(trio.all);
    CHECK(trio.two.commit() == 5);
    return;
  }
  Pump(trio.all);
  CHECK(trio.two.commit() == 4);
}

TEST_CASE("a pending membership change is announced all the same") {
  Quiet trio;
  CHECK(trio.one.raw->ProposeConfChange(ConfChange{0, ConfChangeType::kAddLearnerNode, 9, {}}));
  Pump(trio.all);
  CHECK(trio.two.commit() == 4);
}

/// A leader of three that joins entries to appends that wait.
struct Joining : Trio {
  explicit Joining(uint64_t max_size_per_msg = kNoLimit, uint64_t max_inflight_msgs = 256) {
    one.config.batch_append = true;
    one.config.max_size_per_msg = max_size_per_msg;
    one.config.max_inflight_msgs = max_inflight_msgs;
    Start();
    Elect();
  }
};

TEST_CASE("entries join an append that waits") {
  Joining trio;
  for (const char* text : {"a", "b", "c"}) CHECK(trio.one.raw->Propose(Text(text)));
  const std::vector<Message> sent = trio.one.RunReady();
  REQUIRE(sent.size() == 2);
  for (const Message& append : sent) {
    CHECK(append.index == 3);
    REQUIRE(append.entries.size() == 3);
    CHECK(append.entries[2].data.view() == "c");
    CHECK(trio.all[append.to - 1]->raw->Step(append));
  }
  Pump(trio.all);
  CHECK(trio.three.applied.size() == 4);
  CHECK(trio.three.commit() == 6);
  // What waits no more is not joined.
  CHECK(trio.one.raw->Propose(Text("d")));
  CHECK(trio.one.RunReady().size() == 2);
}

TEST_CASE("a joined append keeps to the size of a message") {
  Joining trio(20);  // Two entries of 7 bytes each, not three.
  for (int i = 0; i < 5; ++i) CHECK(trio.one.raw->Propose(Text("x")));
  std::vector<size_t> sizes;
  for (const Message& append : trio.one.RunReady()) {
    if (append.to == 2) sizes.push_back(append.entries.size());
  }
  CHECK(sizes == std::vector<size_t>{2, 2, 1});
}

TEST_CASE("a joined append takes one place in the window") {
  Joining trio(kNoLimit, 2);
  for (int i = 0; i < 5; ++i) CHECK(trio.one.raw->Propose(Text("x")));
  CHECK(trio.one.raw->GetStatus().progress[1].inflight_count == 1);
  Pump(trio.all);
  CHECK(trio.two.commit() == 8);
  CHECK(trio.one.raw->GetStatus().progress[1].inflight_count == 0);
}

TEST_CASE("entries that join an empty append take a place in the window") {
  Joining trio(kNoLimit, 2);
  LogIndex last = 3;
  size_t with_entries = 0;
  for (int i = 0; i < 5; ++i) {
    // Node 2 is told first that more is committed, then sent the next entry, in one message.
    CHECK(trio.one.raw->Propose(Text("x")));
    ++last;
    for (const Message& append : OfType(trio.one.RunAll(), MessageType::kApp)) {
      if (append.to == 2 && !append.entries.empty()) ++with_entries;
    }
    Message accepted = From(3, MessageType::kAppResp, trio.one.term());
    accepted.index = last;
    CHECK(trio.one.raw->Step(accepted));
  }
  CHECK(trio.one.commit() == last);
  CHECK(trio.one.raw->GetStatus().progress[1].inflight_full);
  CHECK(with_entries == 2);
}

TEST_CASE("turned off, nothing is joined any more") {
  Joining trio;
  CHECK(trio.one.raw->Propose(Text("a")));
  trio.one.raw->SetBatchAppend(false);
  CHECK(trio.one.raw->Propose(Text("b")));
  CHECK(trio.one.RunReady().size() == 4);
}

TEST_CASE("an append that waits is told a new commit index") {
  Joining trio;
  CHECK(trio.one.raw->Propose(Text("a")));
  Pump({&trio.one});  // Lost.
  CHECK(trio.one.raw->Propose(Text("b")));
  Message accepted = From(2, MessageType::kAppResp, trio.one.term());
  accepted.index = 4;
  CHECK(trio.one.raw->Step(accepted));
  CHECK(trio.one.commit() == 4);
  for (const Message& append : trio.one.RunReady()) {
    CHECK(append.commit == 4);
    CHECK(append.entries.size() == 1);
  }
}

TEST_CASE("a new term joins nothing of an old one") {
  Joining trio;
  CHECK(trio.one.raw->Propose(Text("a")));
  // Deposed and elected again before its host takes a Ready.
  CHECK(trio.one.raw->Step(From(2, MessageType::kHeartbeat, trio.one.term() + 1)));
  CHECK(trio.one.raw->Campaign());
  for (const NodeId voter : {NodeId{2}, NodeId{3}}) {
    CHECK(trio.one.raw->Step(From(voter, MessageType::kVoteResp, trio.one.term())));
  }
  REQUIRE(trio.one.leads());
  for (const Message& append : OfType(trio.one.RunReady(), MessageType::kApp)) {
    CHECK(append.entries.size() == 1);
  }
}

TEST_CASE("a host may change how many appends are under way to a member") {
  Trio trio;
  trio.Start();
  trio.Elect();
  const auto sent_to_two = [&trio] {
    size_t count = 0;
    for (int i = 0; i < 4; ++i) CHECK(trio.one.raw->Propose(Text("x")));
    for (const Message& append : OfType(trio.one.RunReady(), MessageType::kApp)) {
      if (append.to == 2) count += append.entries.size();
    }
    return count;
  };
  CHECK(trio.one.raw->SetMaxInflightMsgs(2, 3));
  CHECK(sent_to_two() == 3);
  CHECK(trio.one.raw->SetMaxInflightMsgs(2, 1));  // Three are under way: none more.
  CHECK(sent_to_two() == 0);
  CHECK(trio.one.raw->SetMaxInflightMsgs(2, 5));
  CHECK(sent_to_two() == 5 + 2);  // What waited and the first new one in one append; the next.
  CHECK(trio.one.raw->SetMaxInflightMsgs(7, 5).error().code == ErrorCode::kPeerNotFound);
}

TEST_CASE("the quota of committed entries may change") {
  TestNode node(1, {1});
  node.config.max_committed_size_per_ready = 1;
  node.Start();
  CHECK(node.raw->Campaign());
  (void)node.RunAll();
  const auto handed_out = [&node] {
    for (int i = 0; i < 4; ++i) CHECK(node.raw->Propose(Text("x")));
    (void)node.RunReady();
    return node.raw->GetReady().committed_entries.size();
  };
  CHECK(handed_out() == 1);
  node.raw->Advance();
  (void)node.RunAll();
  node.raw->SetMaxCommittedSizePerReady(kNoLimit);
  CHECK(handed_out() == 4);
}

TEST_CASE("check-quorum may be turned on and off, but not under a lease") {
  Trio trio;
  trio.Start();
  trio.Elect();
  const auto wait = [&trio] {
    for (uint32_t i = 0; i < 2 * trio.one.config.election_tick; ++i) trio.one.raw->Tick();
    (void)trio.one.RunAll();
  };
  wait();
  CHECK(trio.one.leads());
  CHECK(trio.one.raw->SetCheckQuorum(true));
  wait();
  CHECK_FALSE(trio.one.leads());

  TestNode reader(1);
  reader.config.check_quorum = true;
  reader.config.read_only_option = ReadOnlyOption::kLeaseBased;
  reader.Start();
  CHECK(reader.raw->SetCheckQuorum(false).error().code == ErrorCode::kInvalidConfig);
}

TEST_CASE("a resting node does nothing, but time passes") {
  TestNode node(1);
  node.Start();
  for (int i = 0; i < 100; ++i) node.raw->TickQuiesced();
  CHECK_FALSE(node.raw->HasReady());
  node.raw->Tick();
  CHECK(node.raw->GetBasicStatus().soft_state.role == Role::kCandidate);
}

TEST_CASE("a leader's lease ends while it rests") {
  Trio trio;
  for (TestNode* node : trio.all) {
    node->config.check_quorum = true;
    node->config.read_only_option = ReadOnlyOption::kLeaseBased;
  }
  trio.Start();
  for (TestNode* node : trio.all) {
    for (uint32_t i = 0; i < node->config.election_tick; ++i) node->raw->TickQuiesced();
  }
  trio.Elect();
  trio.one.raw->Ping();
  Pump(trio.all);
  const auto answers_alone = [&trio] {
    trio.one.reads.clear();
    trio.one.raw->ReadIndex(Text("read"));
    (void)trio.one.RunAll();
    return !trio.one.reads.empty();
  };
  CHECK(answers_alone());
  for (uint32_t i = 0; i < trio.one.config.election_tick; ++i) trio.one.raw->TickQuiesced();
  CHECK_FALSE(answers_alone());
}

TEST_CASE("a ping sends heartbeats at once, from a leader only") {
  Trio trio;
  trio.Start();
  trio.two.raw->Ping();
  CHECK_FALSE(trio.two.raw->HasReady());
  trio.Elect();
  trio.one.raw->Ping();
  CHECK(OfType(trio.one.RunAll(), MessageType::kHeartbeat).size() == 2);
}

}  // namespace
}  // namespace raft

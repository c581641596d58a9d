#include "pd/replication/replica.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "pd/codec/command_codec.h"
#include "pd/log/log.h"
#include "tests/pd/replication/simulation.h"
#include "tests/pd/temporary_folder.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using test::PutTxn;
using test::ReadValue;
using test::SimulatedGroup;
using test::SimulatedMember;

TEST_CASE("one member elects itself at once and serves") {
  SimulatedGroup group(1, 1);
  CHECK(group.RunUntil([&] { return group.Leader() != nullptr; }, 100ms));
  const auto result = group.Must(PutTxn("a", "1"));
  CHECK(result.succeeded);
  CHECK(result.revision == 2);
  CHECK(ReadValue(group.member(1).database, "a") == "1");
  group.Crash(1);
  group.StartMember(1);
  CHECK(group.RunUntil([&] { return group.Leader() != nullptr; }, 100ms));
  CHECK(ReadValue(group.member(1).database, "a") == "1");
}

TEST_CASE("the library's lines say in the log whose they are") {
  const test::TemporaryFolder folder;
  LogOptions options;
  options.file = folder.path() + "/pd.log";
  REQUIRE(ConfigureLog(options));
  SimulatedGroup(1, 1).WaitForLeader();
  REQUIRE(ConfigureLog({}));
  std::ostringstream text;
  text << std::ifstream(options.file).rdbuf();
  CHECK(text.str().find("[INFO] [raft] [\"1 became leader at term 2\"]") != std::string::npos);
  CHECK(text.str().find("[replica.cc:") == std::string::npos);
}

TEST_CASE("three members elect one, and what it commits is on all") {
  SimulatedGroup group(2, 3);
  group.Must(PutTxn("a", "1"));
  group.Settle();
  for (const raft::NodeId id : group.ids()) CHECK(ReadValue(group.member(id).database, "a") == "1");
  CHECK(group.member(1).peers.size() == 2);
}

TEST_CASE("proposals that wait together share one write to disk") {
  SimulatedGroup group(3, 1);
  SimulatedMember& leader = group.WaitForLeader();
  std::vector<Replica::Proposal> proposals;
  int done = 0;
  for (uint64_t id = 1; id <= 100; ++id) {
    Replica::Proposal proposal;
    proposal.id = id + 1000;
    proposal.bytes = codec::EncodeCommand(
        {leader.replica->proposer(), proposal.id, {PutTxn("k", std::to_string(id)), 1}});
    proposal.done = [&done](const Result<CommandResult>& result) { done += result.has_value(); };
    proposals.push_back(std::move(proposal));
  }
  const uint64_t before = leader.database.syncs();
  leader.replica->Propose(std::move(proposals));
  leader.replica->HandleReadies();
  CHECK(done == 100);
  CHECK(leader.database.syncs() == before + 1);
  CHECK(ReadValue(leader.database, "k") == "100");
}

TEST_CASE("only the leader takes proposals, and only in the term they are meant for") {
  SimulatedGroup group(4, 3);
  SimulatedMember& leader = group.WaitForLeader();
  for (const raft::NodeId id : group.ids()) {
    if (id == leader.id) continue;
    const auto place = group.Propose(id, PutTxn("a", "1"));
    REQUIRE(place->has_value());
    CHECK((*place)->error().code == ErrorCode::kNotLeader);
  }
  const raft::Term term = leader.leader_started;
  const auto old = group.Propose(leader.id, PutTxn("a", "1"), term - 1);
  CHECK((*old)->error().code == ErrorCode::kNotLeader);
  const auto now = group.Propose(leader.id, PutTxn("a", "1"), term);
  REQUIRE(group.RunUntil([&] { return now->has_value(); }, 1s));
  CHECK((*now)->has_value());
}

TEST_CASE("a failing command reports its own error") {
  SimulatedGroup group(5, 3);
  const auto place = group.Propose(group.WaitForLeader().id, LeaseRevoke{7});
  REQUIRE(group.RunUntil([&] { return place->has_value(); }, 1s));
  CHECK((*place)->error().code == ErrorCode::kNotFound);
  group.Settle();
}

TEST_CASE("a leader cut off loses its lease, then the lead; its proposals are in doubt") {
  SimulatedGroup group(6, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  group.Partition({{leader.id}, {1, 2, 3}});  // Its own set is only itself.
  std::set<raft::NodeId> others = {1, 2, 3};
  others.erase(leader.id);
  group.Partition({others});
  const auto place = group.Propose(leader.id, PutTxn("a", "lost"));
  CHECK(group.RunUntil([&] { return !leader.replica->lease().Valid(); }, 400ms));
  REQUIRE(group.RunUntil([&] { return place->has_value(); }));
  CHECK((*place)->error().code == ErrorCode::kTimeout);
  CHECK(leader.leader_started == 0);
  REQUIRE(group.RunUntil([&] { return group.Leader() != nullptr; }));
  CHECK(others.count(group.Leader()->id) == 1);
  group.Must(PutTxn("a", "2"));
  group.Partition({});
  group.Settle();
  CHECK(ReadValue(leader.database, "a") == "2");
}

TEST_CASE("a new leader is there within a second of the old one's death, in most tries") {
  int slow = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedGroup group(seed, 3);
    SimulatedMember& leader = group.WaitForLeader();
    group.Run(Nanos(static_cast<int64_t>(group.rng()() % 500'000'000)));
    group.Crash(leader.id);
    if (!group.RunUntil([&] { return group.Leader() != nullptr; }, 1s)) ++slow;
  }
  CHECK(slow <= 3);
}

TEST_CASE("a hand-over takes a few round trips, and the lease is never held twice") {
  SimulatedGroup group(7, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  const raft::NodeId target = leader.id % 3 + 1;
  std::optional<Result<void>> answer;
  leader.replica->Transfer(target, leader.clock->Monotonic() + 2s,
                           [&](Result<void> result) { answer = result; });
  leader.replica->HandleReadies();
  CHECK(group.RunUntil([&] { return group.Leader() != nullptr && group.Leader()->id == target; },
                       50ms));
  REQUIRE(group.RunUntil([&] { return answer.has_value(); }, 1s));
  CHECK(answer->has_value());
  CHECK(leader.leader_started == 0);
  group.Must(PutTxn("a", "2"));
  group.Settle();
}

TEST_CASE(
    "a hand-over to somebody who does not answer ends with an election, not with a stale lease") {
  SimulatedGroup group(8, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  group.Settle();
  const raft::NodeId target = leader.id % 3 + 1;
  const raft::Term term = leader.leader_started;
  // The request to take over is lost.
  std::optional<Result<void>> answer;
  group.network().drop = 1.0;
  leader.replica->Transfer(target, leader.clock->Monotonic() + 200ms,
                           [&](Result<void> result) { answer = result; });
  leader.replica->HandleReadies();
  group.network().drop = 0.0;
  CHECK_FALSE(leader.replica->lease().Valid());
  REQUIRE(group.RunUntil([&] { return answer.has_value(); }, 1s));
  CHECK(answer->error().code == ErrorCode::kTimeout);
  REQUIRE(group.RunUntil([&] { return group.Leader() != nullptr; }));
  CHECK(group.Leader()->leader_started > term);
}

TEST_CASE(
    "a hand-over to a dead member is refused, one to a member that dies meanwhile ends soon") {
  SimulatedGroup group(16, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  group.Settle();
  const raft::NodeId target = leader.id % 3 + 1;
  std::optional<Result<void>> answer;
  const auto transfer = [&] {
    answer.reset();
    leader.replica->Transfer(target, leader.clock->Monotonic() + 60s,
                             [&](Result<void> result) { answer = result; });
    leader.replica->HandleReadies();
  };
  // It is dead but was heard of just now, and what it lacks is never acknowledged: the library waits in vain.
  group.Crash(target);
  group.Must(PutTxn("a", "2"));
  CHECK(leader.replica->CheckSuccessor(target));
  transfer();
  REQUIRE(group.RunUntil([&] { return answer.has_value(); }, 500ms));
  CHECK(answer->error().code == ErrorCode::kTimeout);
  CHECK(group.RunUntil([&] { return leader.replica->lease().Valid(); }, 100ms));
  group.Must(PutTxn("a", "3"));

  group.Run(2s);
  CHECK(leader.replica->CheckSuccessor(target).error().code == ErrorCode::kUnavailable);
  transfer();
  REQUIRE(answer.has_value());
  CHECK(answer->error().code == ErrorCode::kUnavailable);
  CHECK(leader.replica->CheckSuccessor(0));

  // It answers again, but has most of what it missed before it: timestamps must not wait for that.
  for (int i = 0; i < 1100; ++i) group.Must(PutTxn("a", std::to_string(i)));
  group.StartMember(target);
  bool refused = false;
  REQUIRE(group.RunUntil([&] {
    const auto able = leader.replica->CheckSuccessor(target);
    refused |= !able && able.error().context.find("lags behind") != std::string::npos;
    return able.has_value();
  }));
  CHECK(refused);

  // A healthy member is found fit at any moment, also just after a check of the quorum.
  group.Settle();
  for (int i = 0; i < 100; ++i) {
    group.Run(10ms);
    CHECK(leader.replica->CheckSuccessor(target));
  }
}

TEST_CASE("hand-overs that make no sense are refused") {
  SimulatedGroup group(9, 3);
  SimulatedMember& leader = group.WaitForLeader();
  const auto transfer = [&](raft::NodeId on, raft::NodeId target) {
    std::optional<Result<void>> answer;
    group.member(on).replica->Transfer(target, Nanos::max(),
                                       [&](Result<void> result) { answer = result; });
    REQUIRE(answer.has_value());
    return *answer;
  };
  CHECK(transfer(leader.id, 99).error().code == ErrorCode::kNotFound);
  CHECK(transfer(leader.id, leader.id).has_value());
  CHECK(transfer(leader.id % 3 + 1, leader.id).error().code == ErrorCode::kNotLeader);
  SimulatedGroup alone(9, 1);
  std::optional<Result<void>> answer;
  alone.WaitForLeader().replica->Transfer(0, Nanos::max(),
                                          [&](Result<void> result) { answer = result; });
  CHECK(answer->error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a lone member holds its lease through a disk that hangs, until it gets company") {
  SimulatedGroup group(15, 1);
  SimulatedMember& alone = group.WaitForLeader();
  alone.database.OnWrite([&](Durability) { alone.clock->Stall(5s); });
  const auto place = group.Propose(1, PutTxn("a", "1"));
  CHECK(alone.replica->lease().Valid());
  alone.database.OnWrite(nullptr);
  REQUIRE(group.RunUntil([&] { return place->has_value(); }, 1s));
  CHECK((*place)->has_value());

  group.AddServer(2);
  group.StartMember(2);
  REQUIRE(group.Change(raft::ConfChangeType::kAddNode, SimulatedGroup::MakeMember(2)));
  group.Settle();
  CHECK(alone.replica->lease().Valid());
  group.Partition({{1}});
  CHECK(group.RunUntil([&] { return !alone.replica->lease().Valid(); }, 400ms));
  group.Partition({});
  group.Settle();
}

TEST_CASE("a disk that hangs makes the leader leave") {
  SimulatedGroup group(10, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  bool hang = true;
  leader.database.OnWrite([&](Durability durability) {
    if (durability == Durability::kSynced && std::exchange(hang, false)) leader.clock->Stall(500ms);
  });
  group.Propose(leader.id, PutTxn("a", "2"));
  CHECK_FALSE(leader.replica->lease().Valid());
  REQUIRE(
      group.RunUntil([&] { return group.Leader() != nullptr && group.Leader()->id != leader.id; }));
  leader.database.OnWrite(nullptr);
  group.Settle();
}

/// Asks a voter for its vote in a term far ahead, with a log far ahead; true if it takes part.
bool GivesVote(SimulatedGroup& group, raft::NodeId voter, raft::NodeId candidate) {
  raft::Message vote;
  vote.type = raft::MessageType::kVote;
  vote.from = candidate;
  vote.to = voter;
  vote.term = 99;
  vote.index = 1000;
  vote.log_term = 98;
  group.member(voter).replica->Step({0, candidate, voter, std::vector{vote}});
  group.member(voter).replica->HandleReadies();
  return group.member(voter).replica->status().term == 99;
}

TEST_CASE("a restarted voter keeps the promise it may have given") {
  // The leader is paused just after a heartbeat; both others restart and would elect one of them at once if they did
  // not wait. Each is asked directly as well. The simulation checks after each step that no two hold the lease.
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SimulatedGroup group(seed, 3, 0.02);
    SimulatedMember& leader = group.WaitForLeader();
    group.Run(100ms);
    group.Pause(leader.id, 2s);
    for (const raft::NodeId id : group.ids()) {
      if (id == leader.id) continue;
      group.Crash(id);
      group.StartMember(id);
      CHECK_FALSE(GivesVote(group, id, 6 - leader.id - id));
    }
    group.Run(3s);
    group.Settle();
  }
}

TEST_CASE("a leader with a longer election timeout than its voters holds no longer lease") {
  // The simulation checks after each step that no two hold the lease. 40 ticks are the least, 5 s the documented
  // default of `lease`.
  const uint32_t ticks = GENERATE(40U, 300U, 400U, 500U, 6000U);
  CAPTURE(ticks);
  SimulatedGroup group(14, 3);
  group.options().heartbeat_ticks = std::min(50U, ticks / 4);
  group.options().election_ticks = ticks;
  group.Crash(1);
  group.StartMember(1);
  group.Settle();
  SimulatedMember& patient = group.member(1);
  if (group.Leader() != &patient) {
    group.Leader()->replica->Transfer(1, Nanos::max(), [](const Result<void>&) {});
    group.Leader()->replica->HandleReadies();
  }
  REQUIRE(group.RunUntil([&] { return group.Leader() == &patient; }));
  group.Must(PutTxn("a", "1"));
  for (int i = 0; i < 100; ++i) {
    group.Run(20ms);
    CHECK(patient.replica->lease().Valid());
  }
  group.Partition({{2, 3}});
  REQUIRE(group.RunUntil([&] { return group.Leader() != nullptr && group.Leader() != &patient; }));
  CHECK_FALSE(patient.replica->lease().Valid());
}

TEST_CASE("votes are refused for one base timeout after a restart") {
  SimulatedGroup group(11, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Settle();
  const raft::NodeId voter = leader.id % 3 + 1;
  const raft::NodeId candidate = voter % 3 + 1;
  group.Crash(voter);
  group.StartMember(voter);
  group.Partition({{voter}});  // It hears nobody.
  CHECK_FALSE(GivesVote(group, voter, candidate));
  group.Run(380ms);
  CHECK_FALSE(GivesVote(group, voter, candidate));
  group.Run(60ms);
  CHECK(GivesVote(group, voter, candidate));
}

TEST_CASE("messages for others change nothing") {
  SimulatedGroup group(12, 3);
  SimulatedMember& leader = group.WaitForLeader();
  raft::Message message;
  message.type = raft::MessageType::kHeartbeat;
  message.term = 99;
  message.from = leader.id % 3 + 1;
  message.to = leader.id;
  leader.replica->Step({7, message.from, leader.id, std::vector{message}});  // Another group.
  leader.replica->Step({0, leader.id, leader.id, std::vector{message}});     // From itself.
  leader.replica->Step({0, message.from, 77, std::vector{message}});         // To another.
  leader.replica->HandleReadies();
  CHECK(leader.replica->status().is_leader);
  CHECK(leader.replica->stats().messages_dropped == 3);
}

TEST_CASE("options that cannot work are refused") {
  test::FakeDatabase database;
  SimulatedGroup group(13, 1);
  SimulatedMember& any = group.member(1);
  const auto open = [&](GroupOptions options) {
    const auto replica = Replica::Open(options, {database, any, *any.clock, nullptr, 1});
    return replica.has_value() ? ErrorCode::kNotFound : replica.error().code;
  };
  GroupOptions options;
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  options.id = 1;
  options.heartbeat_ticks = 0;
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  options.heartbeat_ticks = 40;
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  options.heartbeat_ticks = 5;
  options.drift = Millis(400);
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  options.drift = Millis(40);
  options.election_ticks = 39;
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  options.election_ticks = 40;
  CHECK(open(options) == ErrorCode::kNotFound);
  options.id = 2;  // The database has an owner now.
  CHECK(open(options) == ErrorCode::kInvalidArgument);
  CHECK(RaftGroup::StoredId(database).value() == raft::NodeId{1});
}

/// Crashes everybody and starts `id` again as the only member that is left.
void ForceAlone(SimulatedGroup& group, raft::NodeId id) {
  for (const raft::NodeId one : group.ids()) {
    if (group.member(one).up()) group.Crash(one);
  }
  const auto forced = RaftGroup::ForceAlone(group.member(id).database, id);
  if (!forced) FAIL(forced.error().context);
  group.StartMember(id);
  REQUIRE(group.WaitForLeader().id == id);
  const std::vector<Member> members = group.member(id).replica->members();
  REQUIRE(members.size() == 1);
  CHECK(members.front().id == id);
  CHECK_FALSE(members.front().is_learner);
}

TEST_CASE("one member that is left goes on alone, with all that clients were told") {
  SimulatedGroup group(21, 3);
  group.Must(PutTxn("a", "1"));
  group.Settle();
  const raft::NodeId left = group.WaitForLeader().id;
  // What it has and cannot know to be committed, as a follower that acknowledged it could not either.
  group.Partition({{left}});
  group.Propose(left, PutTxn("a", "2"));
  group.Run(20ms);
  group.Partition({});
  ForceAlone(group, left);
  group.Must(PutTxn("b", "3"));
  CHECK(ReadValue(group.member(left).database, "a") == "2");
  for (const raft::NodeId other : group.ids()) {
    CHECK(group.member(left).replica->WasRemoved(other) == (other != left));
  }
  // Once more does no harm.
  ForceAlone(group, left);
  CHECK(ReadValue(group.member(left).database, "b") == "3");
}

TEST_CASE("changes of membership under way do not keep a forced member from being alone") {
  SimulatedGroup group(22, 3);
  group.Must(PutTxn("a", "1"));
  const raft::NodeId left = group.WaitForLeader().id;
  raft::ConfChangeType type{};
  Member changed;
  SECTION("another comes") {
    type = raft::ConfChangeType::kAddLearnerNode;
    changed = SimulatedGroup::MakeMember(9, true);
  }
  SECTION("another goes") {
    type = raft::ConfChangeType::kRemoveNode;
    changed = SimulatedGroup::MakeMember(left % 3 + 1);
  }
  SECTION("it goes itself") {
    type = raft::ConfChangeType::kRemoveNode;
    changed = SimulatedGroup::MakeMember(left);
  }
  group.Partition({{left}});
  group.member(left).replica->Change({type, changed, [](const Result<void>&) {}});
  group.member(left).replica->HandleReadies();
  group.Partition({});
  ForceAlone(group, left);
  group.Must(PutTxn("a", "2"));
}

TEST_CASE("a learner can be the one that is left, a removed member or an empty disk cannot") {
  SimulatedGroup group(23, 2);
  group.Must(PutTxn("a", "1"));
  group.AddServer(3);
  group.StartMember(3);
  REQUIRE(group.Change(raft::ConfChangeType::kAddLearnerNode, SimulatedGroup::MakeMember(3, true)));
  group.Settle();
  ForceAlone(group, 3);
  group.Must(PutTxn("a", "2"));

  CHECK(RaftGroup::ForceAlone(group.member(3).database, 1).error().code == ErrorCode::kNotFound);
  test::FakeDatabase empty;
  CHECK(RaftGroup::ForceAlone(empty, 1).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a group is bootstrapped once, with sensible members") {
  test::FakeDatabase database;
  const auto member = [](raft::NodeId id) { return SimulatedGroup::MakeMember(id); };
  CHECK(RaftGroup::Bootstrap(database, {}).error().code == ErrorCode::kInvalidArgument);
  CHECK(RaftGroup::Bootstrap(database, {member(0)}).error().code == ErrorCode::kInvalidArgument);
  CHECK(RaftGroup::Bootstrap(database, {member(1), member(1)}).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK_FALSE(RaftGroup::HasState(database).value());
  CHECK(RaftGroup::Bootstrap(database, {member(1), member(2)}).has_value());
  CHECK(RaftGroup::HasState(database).value());
  CHECK(RaftGroup::Bootstrap(database, {member(1)}).error().code == ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace pd

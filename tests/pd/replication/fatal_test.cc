#include <array>
#include <functional>
#include <future>
#include <string>

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pd/storage/bytes.h"
#include "tests/pd/replication/simulation.h"

namespace pd {
namespace {

using test::FakeDatabase;
using test::PutTxn;
using test::SimulatedGroup;
using test::SimulatedMember;

struct Death {
  int status = 0;      // Exit status, or -1 when it did not exit.
  std::string output;  // Standard error.
};

/// Runs `body` in a process of its own, which has to die of it.
Death Die(const std::function<void()>& body) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);  // The test program reports it otherwise.
    body();
    _exit(0);
  }
  close(ends[1]);
  Death death;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    death.output.append(buffer.data(), static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  death.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return death;
}

/// A member by itself without a fatal hook: the server's own end.
std::unique_ptr<Replica> Alone(FakeDatabase& database, SimulatedMember& around) {
  if (!RaftGroup::HasState(database).value()) {
    REQUIRE(RaftGroup::Bootstrap(database, {SimulatedGroup::MakeMember(1)}).has_value());
  }
  GroupOptions options;
  options.id = 1;
  auto replica = Replica::Open(options, {database, around, *around.clock, nullptr, 1});
  REQUIRE(replica.has_value());
  (*replica)->Start();
  (*replica)->HandleReadies();
  return *std::move(replica);
}

TEST_CASE("a disk that fails ends the server, with a clear line") {
  SimulatedGroup group(1, 1);
  FakeDatabase database;
  const auto replica = Alone(database, group.member(1));
  const Death death = Die([&] {
    database.FailWrites(true);
    replica->Tick();
    Replica::Proposal proposal{"x", 1, 0, [](const Result<CommandResult>&) {}};
    std::vector<Replica::Proposal> one;
    one.push_back(std::move(proposal));
    replica->Propose(std::move(one));
    replica->HandleReadies();
  });
  CHECK(death.status == 1);
  CHECK(death.output.find("the disk failed: the disk is gone") != std::string::npos);
}

TEST_CASE("an entry that does not decode ends the server, with its index") {
  SimulatedGroup group(1, 1);
  FakeDatabase database;
  const auto replica = Alone(database, group.member(1));
  const Death death = Die([&] {
    std::vector<Replica::Proposal> one;
    one.push_back({"no command", 1, 0, [](const Result<CommandResult>&) {}});
    replica->Propose(std::move(one));
    replica->HandleReadies();
  });
  CHECK(death.status == 1);
  CHECK(death.output.find("log entry 3: command does not decode") != std::string::npos);
}

TEST_CASE("a log that lost acknowledged entries is not opened") {
  SimulatedGroup group(1, 1);
  FakeDatabase database;
  { const auto replica = Alone(database, group.member(1)); }
  WriteBatch batch;
  batch.DeleteRange(Column::kRaftLog, "", std::string(9, '\xFF'));
  REQUIRE(database.Write(batch, Durability::kSynced).has_value());
  GroupOptions options;
  options.id = 1;
  SimulatedMember& around = group.member(1);
  const auto opened = Replica::Open(options, {database, around, *around.clock, nullptr, 1});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kCorrupt);
  CHECK(opened.error().context == "committed entries are missing from the stored log");
}

TEST_CASE("waiting for the group on its own thread ends the server, as it would hang") {
  class Waits final : public GroupListener {
   public:
    explicit Waits(std::function<void()> wait) : wait_(std::move(wait)) {}
    void OnLeaderStart(raft::Term) override { wait_(); }

   private:
    const std::function<void()> wait_;
  };
  SimulatedGroup simulated(1, 1);
  FakeDatabase database;
  REQUIRE(RaftGroup::Bootstrap(database, {SimulatedGroup::MakeMember(1)}).has_value());
  GroupOptions options;
  options.id = 1;
  const SystemClock clock;
  const std::array<std::function<void(RaftGroup&)>, 2> calls = {
      [](RaftGroup& group) {
        static_cast<void>(group.ProposeAndWait({PutTxn("k", "v"), 1}, Millis(100)));
      },
      [](RaftGroup& group) { static_cast<void>(group.RemoveMember(7, Millis(100))); }};
  for (const auto& call : calls) {
    const Death death = Die([&] {
      const auto group = *RaftGroup::Open(options, database, simulated.member(1), clock);
      std::promise<void> over;
      Waits waits([&] {
        call(*group);
        over.set_value();
      });
      group->AddListener(waits);
      group->Start();
      over.get_future().wait();
      _exit(0);  // It came back: nothing was asserted.
    });
    CHECK(death.status == -1);
    CHECK(death.output.find("assertion failed: running_here != this") != std::string::npos);
  }
}

TEST_CASE("a follower told that it acknowledged what it does not have stops") {
  // Its disk came back older than it was: the leader still counts on the entries.
  SimulatedGroup group(3, 3);
  SimulatedMember& leader = group.WaitForLeader();
  group.Must(PutTxn("a", "1"));
  group.Settle();
  const raft::NodeId id = leader.id % 3 + 1;
  FakeDatabase database;
  {
    std::vector<Member> list;
    for (raft::NodeId one = 1; one <= 3; ++one) list.push_back(SimulatedGroup::MakeMember(one));
    REQUIRE(RaftGroup::Bootstrap(database, list).has_value());
  }
  GroupOptions options;
  options.id = id;
  SimulatedMember& around = group.member(id);
  auto opened = Replica::Open(options, {database, around, *around.clock, nullptr, 1});
  REQUIRE(opened.has_value());
  (*opened)->Start();
  const Death death = Die([&] {
    raft::Message heartbeat;
    heartbeat.type = raft::MessageType::kHeartbeat;
    heartbeat.from = leader.id;
    heartbeat.to = id;
    heartbeat.term = leader.leader_started;
    heartbeat.commit = 3;
    (*opened)->Step({0, leader.id, id, std::vector{heartbeat}});
    (*opened)->HandleReadies();
  });
  CHECK(death.status == 1);
  CHECK(death.output.find("replication cannot go on") != std::string::npos);
}

}  // namespace
}  // namespace pd

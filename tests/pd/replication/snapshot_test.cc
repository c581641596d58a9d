#include <catch2/catch.hpp>

#include "pd/fsm/layout.h"
#include "tests/pd/replication/simulation.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using test::PutTxn;
using test::ReadValue;
using test::SimulatedGroup;
using test::SimulatedMember;

/// A group whose log is cut early and whose snapshots go in small pieces.
void MakeSmall(SimulatedGroup& group) {
  group.options().log_entries_soft = 20;
  group.options().log_entries_kept = 5;
  group.options().snapshot_chunk_bytes = 500;
  for (const raft::NodeId id : group.ids()) {
    group.Crash(id);
    group.StartMember(id);
  }
}

PutRegions SomeRegions(uint64_t first, uint64_t count) {
  PutRegions regions;
  for (uint64_t id = first; id < first + count; ++id) {
    RegionRecord region;
    region.id = id;
    region.start_key = "key" + std::to_string(id);
    region.peers = {{id + 1, 1}};
    regions.regions.push_back(region);
  }
  return regions;
}

void Fill(SimulatedGroup& group, const std::string& value) {
  for (int n = 0; n < 60; ++n) group.Must(PutTxn("k" + std::to_string(n % 10), value));
  group.Must(LeaseGrant{7, 1000000});
  group.Must(SomeRegions(100, 50));
}

raft::NodeId Follower(SimulatedGroup& group) { return group.WaitForLeader().id % 3 + 1; }

/// Kept generations of data on a disk.
size_t Generations(SimulatedMember& member) {
  std::set<std::string> found;
  const auto dump = member.database.Dump();
  for (auto slot = static_cast<size_t>(Column::kKeys); slot < kColumnCount; ++slot) {
    for (const auto& [key, value] : dump[slot]) found.insert(key.substr(0, 8));
  }
  return found.size();
}

TEST_CASE("a member far behind gets a snapshot and has everything") {
  SimulatedGroup group(1, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Must(PutTxn("old", "1"));
  group.Crash(away);
  Fill(group, "1");
  group.Run(2s);  // The leader cuts its log.
  group.StartMember(away);
  group.Settle();
  CHECK(group.member(away).snapshots_seen == 1);
  CHECK(Generations(group.member(away)) == 1);
  CHECK(ReadValue(group.member(away).database, "k3") == "1");
  CHECK(group.member(away).peers.size() == 2);
  // It goes on from there, and survives a restart.
  group.Must(PutTxn("k3", "2"));
  group.Settle();
  group.Crash(away);
  group.StartMember(away);
  group.Settle();
  CHECK(ReadValue(group.member(away).database, "k3") == "2");
}

TEST_CASE("a snapshot gets through a network that loses a fifth of all") {
  SimulatedGroup group(2, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Crash(away);
  Fill(group, "1");
  group.Run(2s);
  group.network().drop = 0.2;
  group.StartMember(away);
  group.Run(5s);
  group.network().drop = 0;
  group.Settle();
  CHECK(group.member(away).snapshots_seen >= 1);
}

TEST_CASE("a broken connection costs a window of the transfer, not all of it") {
  SimulatedGroup group(3, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Crash(away);
  Fill(group, "1");
  group.Run(2s);
  uint64_t chunks = 0;
  std::set<uint64_t> sequences;
  std::set<uint64_t> transfers;
  group.on_deliver = [&](raft::NodeId, const codec::Envelope& envelope) {
    if (const auto* chunk = std::get_if<codec::SnapshotChunk>(&envelope.body)) {
      ++chunks;
      sequences.insert(chunk->sequence);
      transfers.insert(chunk->transfer_id);
    }
  };
  group.StartMember(away);
  REQUIRE(group.RunUntil([&] { return chunks >= 10; }));
  SimulatedMember& leader = group.WaitForLeader();
  leader.refuse_chunks = true;
  group.Run(200ms);
  leader.refuse_chunks = false;
  group.Settle();
  CHECK(transfers.size() == 1);
  CHECK(chunks <= sequences.size() + group.options().snapshot_window);
  CHECK(group.member(away).snapshots_seen == 1);
}

TEST_CASE("a receiver that dies in the middle begins anew and leaves nothing behind") {
  SimulatedGroup group(4, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Crash(away);
  Fill(group, "1");
  group.Run(2s);
  uint64_t chunks = 0;
  group.on_deliver = [&](raft::NodeId, const codec::Envelope& envelope) {
    chunks += std::holds_alternative<codec::SnapshotChunk>(envelope.body);
  };
  for (int round = 0; round < 3; ++round) {
    chunks = 0;
    group.StartMember(away);
    REQUIRE(group.RunUntil([&] { return chunks >= 5; }));
    CHECK(group.member(away).snapshots_seen == 0);
    group.Crash(away);
  }
  group.StartMember(away);
  group.Settle();
  CHECK(group.member(away).snapshots_seen >= 1);
  CHECK(Generations(group.member(away)) == 1);
}

TEST_CASE("the leader dies while it sends; the next one begins anew") {
  SimulatedGroup group(5, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Crash(away);
  Fill(group, "1");
  group.Run(2s);
  uint64_t chunks = 0;
  group.on_deliver = [&](raft::NodeId, const codec::Envelope& envelope) {
    chunks += std::holds_alternative<codec::SnapshotChunk>(envelope.body);
  };
  group.StartMember(away);
  REQUIRE(group.RunUntil([&] { return chunks >= 5; }));
  const raft::NodeId old = group.WaitForLeader().id;
  group.Crash(old);
  group.Run(3s);
  group.StartMember(old);
  group.Settle();
  CHECK(Generations(group.member(away)) == 1);
  CHECK(ReadValue(group.member(away).database, "k3") == "1");
}

TEST_CASE("the log stays bounded though one member is away") {
  SimulatedGroup group(6, 3);
  MakeSmall(group);
  const raft::NodeId away = Follower(group);
  group.Crash(away);
  for (int n = 0; n < 300; ++n) group.Must(PutTxn("k", std::to_string(n)));
  group.Run(2s);
  CHECK(group.WaitForLeader().replica->stats().log_entries <= 30);
  group.StartMember(away);
  group.Settle();
  CHECK(ReadValue(group.member(away).database, "k") == "299");
}

TEST_CASE("members are added, promoted and removed") {
  SimulatedGroup group(7, 1);
  group.Must(PutTxn("a", "1"));
  using raft::ConfChangeType;
  for (raft::NodeId id = 2; id <= 3; ++id) {
    group.AddServer(id);
    group.StartMember(id);
    REQUIRE(
        group.Change(ConfChangeType::kAddLearnerNode, SimulatedGroup::MakeMember(id)).has_value());
    group.Settle();
    group.Run(10ms);  // The leader hears how far the new one is.
    CHECK(ReadValue(group.member(id).database, "a") == "1");
    CHECK(group.Leader()->replica->members().size() == id);
    CHECK(group.Leader()->replica->members().back().is_learner);
    const auto promoted = group.Change(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(id));
    if (!promoted) FAIL(promoted.error().context);
    group.Settle();
    CHECK_FALSE(group.Leader()->replica->members().back().is_learner);
  }
  // Three voters bear one loss now, also of the first.
  group.Crash(1);
  group.Must(PutTxn("a", "2"));
  group.StartMember(1);
  group.Settle();
  REQUIRE(group.Change(ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(1)).has_value());
  group.Must(PutTxn("a", "3"));
  CHECK(group.WaitForLeader().replica->members().size() == 2);
  CHECK(group.Change(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(1)).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("a leader can remove itself") {
  SimulatedGroup group(8, 3);
  const raft::NodeId old = group.WaitForLeader().id;
  REQUIRE(
      group.Change(raft::ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(old)).has_value());
  CHECK(group.member(old).removed);
  CHECK(group.member(old).leader_started == 0);
  REQUIRE(group.RunUntil([&] { return group.Leader() != nullptr; }));
  CHECK(group.Leader()->id != old);
  group.Must(PutTxn("a", "1"));
}

TEST_CASE("membership changes that would harm the group are refused") {
  SimulatedGroup group(9, 3);
  using raft::ConfChangeType;
  const auto code = [&](ConfChangeType type, const Member& member) {
    const auto result = group.Change(type, member);
    return result ? ErrorCode::kNotStarted : result.error().code;
  };
  group.WaitForLeader();
  CHECK(code(ConfChangeType::kAddLearnerNode, SimulatedGroup::MakeMember(1)) ==
        ErrorCode::kAlreadyExists);
  Member twin = SimulatedGroup::MakeMember(1);
  twin.id = 9;
  CHECK(code(ConfChangeType::kAddNode, twin) == ErrorCode::kAlreadyExists);
  CHECK(code(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(0)) ==
        ErrorCode::kInvalidArgument);
  CHECK(code(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(2)) ==
        ErrorCode::kInvalidArgument);
  CHECK(code(ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(9)) == ErrorCode::kNotFound);
  // With one of three away, removing another would leave one of two.
  const raft::NodeId away = Follower(group);
  const raft::NodeId other =
      away % 3 + 1 == group.WaitForLeader().id ? (away + 1) % 3 + 1 : away % 3 + 1;
  group.Crash(away);
  group.Run(1s);
  CHECK(code(ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(other)) ==
        ErrorCode::kUnavailable);
  // A fourth voter that does not run yet would leave two of four.
  CHECK(code(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(4)) == ErrorCode::kUnavailable);
  CHECK(code(ConfChangeType::kAddLearnerNode, SimulatedGroup::MakeMember(4)) ==
        ErrorCode::kNotStarted);
  CHECK(code(ConfChangeType::kAddNode, SimulatedGroup::MakeMember(4)) == ErrorCode::kUnavailable);
  CHECK(code(ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(away)) ==
        ErrorCode::kNotStarted);
  SimulatedGroup alone(9, 1);
  CHECK(alone.Change(ConfChangeType::kRemoveNode, SimulatedGroup::MakeMember(1)).error().code ==
        ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pd

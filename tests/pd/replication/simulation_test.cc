#include "tests/pd/replication/simulation.h"

#include <cstdlib>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace pd {
namespace {

using namespace std::chrono_literals;
using test::ReadValue;
using test::SimulatedGroup;
using test::SimulatedMember;

/// Clients of the simulation: each proposal writes the next number to one register and its number to a key of its own.
class Clients {
 public:
  explicit Clients(SimulatedGroup& group) : group_(group) {}

  void Write() {
    SimulatedMember* leader = group_.Leader();
    if (leader == nullptr) return;
    const uint64_t number = ++last_;
    KvTxn txn = test::PutTxn("register", std::to_string(number));
    txn.then.push_back(PutRequest{"w" + std::to_string(number), "x"});
    waiting_.emplace_back(number, group_.Propose(leader->id, txn));
  }

  void Read() {
    // A read begins now and must see whatever was answered before now; the value comes first, the lease after.
    SimulatedMember* leader = group_.Leader();
    if (leader == nullptr) return;
    const std::string value = ReadValue(leader->database, "register");
    if (!leader->replica->lease().Valid()) return;
    const auto view = leader->database.TakeView();
    CHECK(StateReader::On(*view)->mark().revision >= acknowledged_revision_);
    ++reads_;
  }

  void Collect() {
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (!it->second->has_value()) {
        ++it;
        continue;
      }
      const auto& result = **it->second;
      if (result.has_value()) {
        acknowledged_.insert(it->first);
        acknowledged_revision_ = std::max(acknowledged_revision_, result->revision);
      } else {
        CHECK((result.error().code == ErrorCode::kTimeout ||
               result.error().code == ErrorCode::kNotLeader));
        if (result.error().code == ErrorCode::kNotLeader) refused_.insert(it->first);
      }
      it = waiting_.erase(it);
    }
  }

  void CheckAll(const Database& database) {
    for (const uint64_t number : acknowledged_) {
      INFO("write " << number);
      CHECK(ReadValue(database, "w" + std::to_string(number)) == "x");
    }
    for (const uint64_t number : refused_) {
      INFO("write " << number);
      CHECK(ReadValue(database, "w" + std::to_string(number)).empty());
    }
  }

  size_t acknowledged() const { return acknowledged_.size(); }

 private:
  SimulatedGroup& group_;
  uint64_t last_ = 0;
  std::vector<std::pair<uint64_t, std::shared_ptr<std::optional<Result<CommandResult>>>>> waiting_;
  std::set<uint64_t> acknowledged_;
  std::set<uint64_t> refused_;
  Revision acknowledged_revision_ = 0;
  uint64_t reads_ = 0;
};

void Disturb(SimulatedGroup& group, size_t members) {
  auto& rng = group.rng();
  const raft::NodeId id = 1 + rng() % members;
  SimulatedMember& member = group.member(id);
  switch (rng() % 8) {
    case 0:
      if (member.up()) group.Crash(id);
      break;
    case 1:
    case 2:
      if (!member.up()) group.StartMember(id);
      break;
    case 3:
      group.Pause(id, Nanos(static_cast<int64_t>(rng() % 1'500'000'000)));
      break;
    case 4: {
      std::set<raft::NodeId> a;
      std::set<raft::NodeId> b;
      for (const raft::NodeId one : group.ids()) (rng() % 2 == 0 ? a : b).insert(one);
      group.Partition({a, b});
      break;
    }
    case 5:
      group.Partition({});
      break;
    case 6:
      group.network().drop = static_cast<double>(rng() % 30) / 100.0;
      break;
    default:
      if (member.up()) {
        member.replica->Transfer(1 + rng() % members, member.clock->Monotonic() + 500ms,
                                 [](const Result<void>&) {});
        member.replica->HandleReadies();
      }
  }
}

/// Answers how many writes were acknowledged; an unlucky seed may have none.
size_t Simulate(uint64_t seed, size_t members) {
  INFO("seed " << seed << ", " << members << " members");
  SimulatedGroup group(seed, members, 0.03);
  group.options().log_entries_soft = 30;
  group.options().log_entries_kept = 5;
  group.options().snapshot_chunk_bytes = 300;
  group.options().snapshot_stalled = Millis(2000);
  Clients clients(group);
  for (int round = 0; round < 400; ++round) {
    group.Run(Nanos(static_cast<int64_t>(group.rng()() % 40'000'000)));
    clients.Collect();
    clients.Write();
    clients.Read();
    if (group.rng()() % 10 == 0) Disturb(group, members);
  }
  group.Partition({});
  group.network().drop = 0;
  for (const raft::NodeId id : group.ids()) {
    group.Pause(id, Nanos(0));
    if (!group.member(id).up()) group.StartMember(id);
  }
  // No option of a member is lost by a restart: small logs and snapshots were used all along.
  group.Settle();
  clients.Collect();
  for (const raft::NodeId id : group.ids()) clients.CheckAll(group.member(id).database);
  return clients.acknowledged();
}

TEST_CASE(
    "crashes, pauses, partitions, losses: nothing acknowledged is lost, one lease at a time") {
  size_t acknowledged = 0;
  const auto simulate = [&](uint64_t seed) {
    acknowledged += Simulate(seed, seed % 4 == 0 ? 5 : 3);
  };
  const char* one = std::getenv("QM_SIM_SEED");
  const char* many = std::getenv("QM_SIM_SEEDS");
  if (one != nullptr) return simulate(std::stoull(one));
  const uint64_t seeds = many != nullptr ? std::stoull(many) : 12;
  for (uint64_t seed = 1; seed <= seeds; ++seed) simulate(seed);
  CHECK(acknowledged > 0);
}

}  // namespace
}  // namespace pd

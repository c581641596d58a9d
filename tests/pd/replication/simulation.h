#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pd/replication/replica.h"
#include "tests/pd/storage/fake_database.h"

namespace pd::test {

/// A clock that runs a little too fast or too slow against the simulation's time.
class DriftingClock final : public Clock {
 public:
  DriftingClock(const Nanos& now, Nanos offset, double rate)
      : now_(now), offset_(offset), rate_(rate) {}
  [[nodiscard]] Nanos Monotonic() const override {
    return offset_ + added_ +
           Nanos(static_cast<int64_t>(static_cast<double>(now_.count()) * rate_));
  }
  [[nodiscard]] int64_t UnixNanos() const override { return Monotonic().count(); }
  /// The member stood still for so long, in a write to disk say.
  void Stall(Nanos time) { added_ += time; }

 private:
  const Nanos& now_;
  Nanos offset_;
  double rate_;
  Nanos added_{0};
};

class SimulatedGroup;

/// One server of the simulation: its disk outlives its process.
struct SimulatedMember final : public Transport, public GroupListener {
  SimulatedMember(SimulatedGroup& in, raft::NodeId number) : group(in), id(number) {}

  bool Send(raft::NodeId to, std::string bytes) override;
  bool SendSnapshotChunk(raft::NodeId to, std::string bytes) override;
  void SetPeers(std::vector<Peer> to) override { peers = std::move(to); }
  void OnLeaderStart(raft::Term term) override;
  void OnLeaderStop(raft::Term term) override;
  void OnApplied(raft::LogIndex index, const AppliedChanges& changes) override;
  void OnStateReplaced(raft::LogIndex index) override;
  void OnRemoved() override { removed = true; }

  [[nodiscard]] bool up() const { return replica != nullptr; }

  SimulatedGroup& group;
  raft::NodeId id;
  FakeDatabase database;
  std::unique_ptr<DriftingClock> clock;
  std::unique_ptr<Replica> replica;
  std::vector<Peer> peers;
  Nanos next_tick{0};
  Nanos paused_until{0};
  raft::Term leader_started = 0;
  uint64_t snapshots_seen = 0;
  bool removed = false;
  Revision told_revision = 1;  // Of the last event told; events must come without a gap.
  bool refuse_chunks = false;
};

/// A group on one thread: time, network, disks and crashes come from one seed. After every step at most one member may
/// hold the lease.
class SimulatedGroup {
 public:
  struct Network {
    double drop = 0;
    Nanos delay_min{100'000};
    Nanos delay_max{1'000'000};
  };

  explicit SimulatedGroup(uint64_t seed, size_t members, double drift = 0.0);

  SimulatedMember& member(raft::NodeId id) { return *members_.at(id); }
  std::vector<raft::NodeId> ids() const;
  SimulatedMember& AddServer(raft::NodeId id);
  void StartMember(raft::NodeId id);
  /// The process dies; of what was not synced a random part reaches the disk.
  void Crash(raft::NodeId id);
  void Pause(raft::NodeId id, Nanos time) { member(id).paused_until = now_ + time; }
  /// Messages pass only inside each of the sets; an empty list: everywhere.
  void Partition(std::vector<std::set<raft::NodeId>> sets) { sets_ = std::move(sets); }

  void Run(Nanos time);
  /// Runs until `condition` holds; false when `limit` passed first.
  bool RunUntil(const std::function<bool()>& condition, Nanos limit = Nanos(20'000'000'000));
  /// The member that serves with a valid lease, or none.
  SimulatedMember* Leader();
  SimulatedMember& WaitForLeader();

  /// Proposes on a member; the result lands in the returned place.
  std::shared_ptr<std::optional<Result<CommandResult>>> Propose(raft::NodeId id, CommandBody body,
                                                                raft::Term fence = 0);
  /// Proposes on the leader until it is done. Fails the test when that takes too long.
  CommandResult Must(CommandBody body);
  Result<void> Change(raft::ConfChangeType type, const Member& changed);
  /// Until all running members have applied the same and what they hold is the same.
  void Settle();

  void Deliver(raft::NodeId from, raft::NodeId to, std::string bytes, bool chunk);

  Nanos now() const { return now_; }
  std::mt19937_64& rng() { return rng_; }
  Network& network() { return network_; }
  GroupOptions& options() { return options_; }
  std::function<void(raft::NodeId to, const codec::Envelope&)> on_deliver;

  static Member MakeMember(raft::NodeId id, bool learner = false);

 private:
  struct Flight {
    raft::NodeId from = 0;
    raft::NodeId to = 0;
    std::string bytes;
  };

  void Step();
  void RunMember(SimulatedMember& member);
  void CheckLease();
  [[nodiscard]] bool Connected(raft::NodeId a, raft::NodeId b) const;

  std::mt19937_64 rng_;
  double drift_;
  Nanos now_{1'000'000'000};
  Network network_;
  GroupOptions options_;
  std::map<raft::NodeId, std::unique_ptr<SimulatedMember>> members_;
  std::multimap<Nanos, Flight> flights_;
  std::map<std::pair<raft::NodeId, raft::NodeId>, Nanos> last_chunk_;
  std::vector<std::set<raft::NodeId>> sets_;
  uint64_t next_proposal_ = 1;
};

/// Shorthands.
KvTxn PutTxn(std::string key, std::string value);
std::string ReadValue(const Database& database, const std::string& key);

}  // namespace pd::test

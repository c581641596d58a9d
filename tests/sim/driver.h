#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pd/coordinator.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace sim {

/// What a store's leader is told.
struct Command {
  scheduler::Region region;
  scheduler::StepCommand step;
};

/// The placement driver under test: the product's cluster and coordinator without threads of their own, on a clock that
/// the simulation moves. The group behind them has one member, whose disk outlives it: a restart is at the same time a
/// change of the leader, since whoever leads next knows what is replicated and no more. (What becomes of the group
/// itself is simulated in tests/pd/replication.)
class Driver {
 public:
  struct Setup {
    uint64_t seed = 1;
    uint64_t first_id = 1'000'000;                     // Far from the ids of what was there before.
    std::function<void(pd::OnlineConfig&)> configure;  // Of a cluster that has stored nothing yet.
  };

  explicit Driver(Setup setup) : setup_(std::move(setup)), first_id_(setup_.first_id) {}
  ~Driver() { Kill(); }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void Start(pd::Millis now);
  void Kill();
  [[nodiscard]] bool up() const { return member_ != nullptr; }

  /// Does what is due at this time. Only while it is up, as all below. Returns how long nothing else is due, as far as
  /// nothing is reported.
  pd::Millis Advance(pd::Millis now);
  /// Sets the time at which reports are taken in.
  void StandAt(pd::Millis now) { member_->moved.StandAt(now); }
  /// In the order in which they were sent.
  std::vector<Command> TakeCommands() { return std::exchange(sink_.sent, {}); }

  [[nodiscard]] pd::Cluster& cluster() { return member_->cluster(); }
  [[nodiscard]] pd::Coordinator& coordinator() { return *coordinator_; }
  [[nodiscard]] pd::ConfigStore& config() { return member_->config(); }

 private:
  struct Sink final : pd::CommandSink {
    bool Send(const scheduler::Region& region, const scheduler::StepCommand& command) override {
      sent.push_back({region, command});
      return true;
    }
    std::vector<Command> sent;
  };

  void MakeCoordinator(pd::test::OneMember& member);

  const Setup setup_;
  uint64_t first_id_;
  pd::test::FakeDatabase database_;
  Sink sink_;
  std::optional<pd::OnlineConfig> config_;  // As the group keeps it, while no member is up.
  std::unique_ptr<pd::MetricsRegistry> metrics_;
  std::unique_ptr<pd::Coordinator> coordinator_;
  std::unique_ptr<pd::test::OneMember> member_;
};

}  // namespace sim

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/coordinator.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd::test {

/// Heard on whichever thread starts an operator, read by the test.
class CountedCommands final : public CommandSink {
 public:
  bool Send(const scheduler::Region& region, const scheduler::StepCommand& command) override {
    const MutexLock lock(mutex_);
    last_[region.id] = command;
    ++count;
    return true;
  }
  /// The last command for a region, once.
  std::optional<scheduler::StepCommand> Take(scheduler::RegionId id) {
    const MutexLock lock(mutex_);
    const auto found = last_.find(id);
    if (found == last_.end()) return {};
    auto command = std::move(found->second);
    last_.erase(found);
    return command;
  }
  std::atomic<int> count{0};

 private:
  Mutex mutex_;
  std::map<scheduler::RegionId, scheduler::StepCommand> last_ PD_GUARDED_BY(mutex_);
};

/// The coordinator of a member, to be made before its cluster starts: it hears of regions from then on.
inline std::unique_ptr<Coordinator> MakeCoordinator(OneMember& member, MetricsRegistry& metrics,
                                                    CommandSink& sink, uint64_t seed = 1) {
  return std::make_unique<Coordinator>(Coordinator::Deps{
      member.cluster(), member.config(), member.meta(), member.ids(), metrics, member.moved, sink,
      [](std::string_view suffix) { return "/pd/7" + std::string(suffix); }, seed});
}

/// One member that leads, with its coordinator.
class Server {
 public:
  Server() { REQUIRE(coordinator_->OnLeaderStart(member_.term())); }
  ~Server() {
    StopLeading();
    coordinator_->Stop();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Lead() {
    REQUIRE(cluster().OnLeaderStart(member_.term()));
    REQUIRE(coordinator_->OnLeaderStart(member_.term()));
  }
  void StopLeading() {
    coordinator_->OnLeaderStop();
    cluster().OnLeaderStop();
  }

  /// Three stores that beat, and region 101 with a peer on store 1 only.
  void Fill() {
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    REQUIRE(cluster().Bootstrap(MakeStore(1), region));
    for (const uint64_t id : {2U, 3U}) REQUIRE(cluster().stores().Put(MakeStore(id)));
    for (const uint64_t id : {1U, 2U, 3U}) Beat(id);
  }
  void AddStore(uint64_t id) {
    REQUIRE(cluster().stores().Put(MakeStore(id)));
    Beat(id);
  }
  void Beat(uint64_t store, uint32_t regions = 0) {
    StoreTable::Heartbeat heartbeat;
    heartbeat.id = {store};
    heartbeat.stats.capacity_bytes = 100ULL << 30;
    heartbeat.stats.available_bytes = 80ULL << 30;
    heartbeat.stats.region_count = regions;
    REQUIRE(cluster().HandleStoreReport(heartbeat));
  }
  void Report() {
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    region.leader = region.peers.front();
    region.size_mib = 96;
    REQUIRE(cluster().HandleRegionReport(region));
  }

  void Pass(Nanos time) { member_.moved.ahead = member_.moved.ahead.load() + time; }

  Coordinator& coordinator() { return *coordinator_; }
  Cluster& cluster() { return member_.cluster(); }
  ConfigStore& config() { return member_.config(); }
  MetaStore& meta() { return member_.meta(); }
  MovedClock& clock() { return member_.moved; }
  FakeDatabase& database() { return database_; }
  OneMember& member() { return member_; }

  std::string Metrics() { return metrics_.Render(); }

  CountedCommands commands;

 private:
  FakeDatabase database_;
  MetricsRegistry metrics_;
  std::unique_ptr<Coordinator> coordinator_;
  OneMember member_{database_, [this](OneMember& member) {
                      coordinator_ = MakeCoordinator(member, metrics_, commands);
                      coordinator_->Start();
                    }};
};

/// Region 101, led on store 1 and held by stores 2 and 3 as well.
inline scheduler::Region ThreeVoters() {
  scheduler::Region region;
  region.id = {101};
  region.epoch = {1, 1};
  for (const uint64_t store : {1U, 2U, 3U}) {
    region.peers.push_back({{1010 + store}, {store}, scheduler::PeerRole::kVoter, false});
  }
  region.leader = region.peers.front();
  region.size_mib = 96;
  return region;
}

/// Region 101 has split: it keeps the keys from "m" on, the others are those of `new_region`.
inline void ReportSplit(Cluster& cluster, scheduler::RegionId new_region) {
  scheduler::Region left = ThreeVoters();
  left.id = new_region;
  left.end_key = "m";
  left.epoch.version = 2;
  for (scheduler::Peer& peer : left.peers) peer.id.value += 1000;
  left.leader = left.peers.front();
  REQUIRE(cluster.HandleRegionReport(left));
  scheduler::Region right = ThreeVoters();
  right.start_key = "m";
  right.epoch.version = 2;
  REQUIRE(cluster.HandleRegionReport(right));
}

}  // namespace pd::test

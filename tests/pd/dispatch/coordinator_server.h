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
#include "tests/harness/wait.h"
#include "tests/pd/storage/fake_database.h"

namespace pd::test {

class NoTransport final : public Transport {
 public:
  bool Send(raft::NodeId, std::string) override { return false; }
  bool SendSnapshotChunk(raft::NodeId, std::string) override { return false; }
  void SetPeers(std::vector<Peer>) override {}
};

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

/// One member that leads, with its coordinator.
class Server {
 public:
  Server()
      : config_(Config{}, [](const OnlineConfig&) { return Result<void>(); }),
        ids_([this](uint64_t count) -> Result<IdAllocator::Window> {
          const IdAllocator::Window window{next_id_, next_id_ + count};
          next_id_ = window.end;
          return window;
        }) {
    REQUIRE(RaftGroup::Bootstrap(database_, {{1, "", {"p"}, {}, false}}).has_value());
    GroupOptions options;
    options.id = 1;
    auto group = RaftGroup::Open(options, database_, transport_, clock_);
    REQUIRE(group.has_value());
    group_ = *std::move(group);
    meta_ = MetaStore::Create(*group_, database_, clock_);
    cluster_ = std::make_unique<Cluster>(Cluster::Deps{
        *meta_, config_, ids_, clock_, [] { return uint64_t{7}; }, [](const std::string&) {}});
    coordinator_ = std::make_unique<Coordinator>(Coordinator::Deps{
        *cluster_, config_, *meta_, ids_, metrics_, clock_, commands,
        [](std::string_view suffix) { return "/pd/7" + std::string(suffix); }, 1});
    group_->AddListener(cluster_->listener());
    REQUIRE(cluster_->Start());
    coordinator_->Start();
    group_->Start();
    meta_->Start();
    ids_.Start({0, 1000});
    REQUIRE(harness::Eventually([this] { return group_->LeaseValid(); }));
    Lead();
  }
  ~Server() {
    StopLeading();
    meta_->Stop();
    group_->Stop();
    coordinator_->Stop();
    cluster_->Stop();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void Lead() {
    REQUIRE(cluster_->OnLeaderStart(group_->status().term));
    REQUIRE(coordinator_->OnLeaderStart(group_->status().term));
  }
  void StopLeading() {
    coordinator_->OnLeaderStop();
    cluster_->OnLeaderStop();
  }

  /// Three stores that beat, and region 101 with a peer on store 1 only.
  void Fill() {
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    REQUIRE(cluster_->Bootstrap(MakeStore(1), region));
    for (const uint64_t id : {2U, 3U}) REQUIRE(cluster_->stores().Put(MakeStore(id)));
    for (const uint64_t id : {1U, 2U, 3U}) Beat(id);
  }
  void AddStore(uint64_t id) {
    REQUIRE(cluster_->stores().Put(MakeStore(id)));
    Beat(id);
  }
  void Beat(uint64_t store, uint32_t regions = 0) {
    StoreTable::Heartbeat heartbeat;
    heartbeat.id = {store};
    heartbeat.stats.capacity_bytes = 100ULL << 30;
    heartbeat.stats.available_bytes = 80ULL << 30;
    heartbeat.stats.region_count = regions;
    REQUIRE(cluster_->HandleStoreReport(heartbeat));
  }
  void Report() {
    scheduler::Region region;
    region.id = {101};
    region.epoch = {1, 1};
    region.peers = {{{1010}, {1}, scheduler::PeerRole::kVoter, false}};
    region.leader = region.peers.front();
    region.size_mib = 96;
    REQUIRE(cluster_->HandleRegionReport(region));
  }

  Coordinator& coordinator() { return *coordinator_; }
  Cluster& cluster() { return *cluster_; }
  ConfigStore& config() { return config_; }
  MetaStore& meta() { return *meta_; }

  CountedCommands commands;

 private:
  static scheduler::Store MakeStore(uint64_t id) {
    scheduler::Store store;
    store.id = {id};
    store.address = fmt::format("tikv{}:20160", id);
    store.version = "8.5.0";
    return store;
  }

  SystemClock clock_;
  FakeDatabase database_;
  NoTransport transport_;
  MetricsRegistry metrics_;
  ConfigStore config_;
  uint64_t next_id_ = 1000;
  IdAllocator ids_;
  std::unique_ptr<RaftGroup> group_;
  std::unique_ptr<MetaStore> meta_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Coordinator> coordinator_;
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

}  // namespace pd::test

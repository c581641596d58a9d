#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "pd/cluster/cluster.h"
#include "tests/harness/wait.h"
#include "tests/pd/storage/fake_database.h"

namespace pd::test {

inline constexpr uint64_t kClusterId = 7;

class NoTransport final : public Transport {
 public:
  bool Send(raft::NodeId, std::string) override { return false; }
  bool SendSnapshotChunk(raft::NodeId, std::string) override { return false; }
  void SetPeers(std::vector<Peer>) override {}
};

/// The system's time, which a test moves on for the cluster alone, or sets.
class MovedClock final : public Clock {
 public:
  [[nodiscard]] Nanos Monotonic() const override {
    return stands ? stands_at_.load() : system_.Monotonic() + ahead.load();
  }
  [[nodiscard]] int64_t UnixNanos() const override {
    if (on_unix_nanos) on_unix_nanos();
    if (set_) return kSetUnixNanos + stands_at_.load().count();
    return system_.UnixNanos() + ahead.load().count();
  }
  /// From here on both clocks show what they are set to.
  void StandAt(Nanos monotonic) {
    stands_at_ = monotonic;
    stands = true;
    set_ = true;
  }

  std::atomic<Nanos> ahead{Nanos(0)};
  std::atomic<bool> stands = false;  ///< Who waits for a time to pass waits for ever.
  std::function<void()> on_unix_nanos;

 private:
  static constexpr int64_t kSetUnixNanos = 1'700'000'000'000'000'000;

  SystemClock system_;
  std::atomic<Nanos> stands_at_ = system_.Monotonic();
  std::atomic<bool> set_ = false;
};

/// Writes wait from the construction on, until Release() or the end.
class StalledDisk {
 public:
  explicit StalledDisk(FakeDatabase& database) : database_(database) {
    database_.OnWrite([stalled = stalled_](Durability) {
      while (*stalled) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  ~StalledDisk() {
    Release();
    database_.OnWrite(nullptr);
  }
  StalledDisk(const StalledDisk&) = delete;
  StalledDisk& operator=(const StalledDisk&) = delete;

  void Release() { *stalled_ = false; }

 private:
  FakeDatabase& database_;
  /// Shared with writes that are under way when this ends.
  const std::shared_ptr<std::atomic<bool>> stalled_ = std::make_shared<std::atomic<bool>>(true);
};

struct MemberSetup {
  Cluster::Drive drive = Cluster::Drive::kThreads;
  Nanos stands_at{0};  // What the cluster's clock is set to; 0: it runs.
  uint64_t first_id = 0;
  std::string hot_folder{};  // Of what was hot; empty: none is kept.
};

/// One member that leads, with its cluster, as long as it lives; the database outlives it.
class OneMember {
 public:
  /// `before_start` adds what has to be there when the cluster starts.
  explicit OneMember(Database& database,
                     const std::function<void(OneMember&)>& before_start = nullptr,
                     const MemberSetup& setup = {})
      : config_(Config{},
                [this](const OnlineConfig&) -> Result<void> {
                  if (fail_config) return Fail(ErrorCode::kTimeout, "not now");
                  return {};
                }),
        next_id_(setup.first_id + 1000),
        ids_([this](uint64_t count) -> Result<IdAllocator::Window> {
          const IdAllocator::Window window{next_id_, next_id_ + count};
          next_id_ = window.end;
          return window;
        }) {
    if (setup.stands_at > Nanos{0}) moved.StandAt(setup.stands_at);
    if (!RaftGroup::HasState(database).value()) {
      REQUIRE(RaftGroup::Bootstrap(database, {{1, "", {"p"}, {}, false}}).has_value());
    }
    GroupOptions options;
    options.id = 1;
    auto group = RaftGroup::Open(options, database, transport_, clock_);
    REQUIRE(group.has_value());
    group_ = *std::move(group);
    meta_ = MetaStore::Create(*group_, database, clock_);
    cluster_ =
        std::make_unique<Cluster>(Cluster::Deps{*meta_, config_, ids_, moved,
                                                [this] {
                                                  if (on_cluster_id) on_cluster_id();
                                                  return kClusterId;
                                                },
                                                [](const std::string&) {}, setup.hot_folder});
    group_->AddListener(cluster_->listener());
    if (before_start) before_start(*this);
    REQUIRE(cluster_->Start(setup.drive));
    group_->Start();
    meta_->Start();
    ids_.Start({setup.first_id, setup.first_id + 1000});
    REQUIRE(harness::Eventually([this] { return group_->LeaseValid(); }));
    REQUIRE(cluster_->OnLeaderStart(group_->status().term));
  }
  ~OneMember() {
    cluster_->OnLeaderStop();
    meta_->Stop();
    group_->Stop();
    cluster_->Stop();
  }
  OneMember(const OneMember&) = delete;
  OneMember& operator=(const OneMember&) = delete;

  Cluster& cluster() { return *cluster_; }
  MetaStore& meta() { return *meta_; }
  ConfigStore& config() { return config_; }
  IdAllocator& ids() { return ids_; }
  raft::Term term() const { return group_->status().term; }

  MovedClock moved;
  std::atomic<bool> fail_config = false;  // The configuration cannot be written.
  /// Called in the midst of what the cluster does.
  std::function<void()> on_cluster_id;

 private:
  SystemClock clock_;
  NoTransport transport_;
  ConfigStore config_;
  uint64_t next_id_;
  IdAllocator ids_;
  std::unique_ptr<RaftGroup> group_;
  std::unique_ptr<MetaStore> meta_;
  std::unique_ptr<Cluster> cluster_;
};

inline scheduler::Store MakeStore(uint64_t id) {
  scheduler::Store store;
  store.id = {id};
  store.address = "tikv" + std::to_string(id) + ":20160";
  store.version = "8.5.0";
  return store;
}

inline scheduler::Store FirstStore() { return MakeStore(1); }

inline scheduler::Region FirstRegion() {
  scheduler::Region region;
  region.id = scheduler::RegionId{2};
  region.epoch = {1, 1};
  region.peers = {{scheduler::PeerId{3}, scheduler::StoreId{1}}};
  return region;
}

inline scheduler::Region Reported(uint64_t id, const std::string& start, const std::string& end,
                                  uint64_t version) {
  scheduler::Region region = FirstRegion();
  region.id = scheduler::RegionId{id};
  region.start_key = start;
  region.end_key = end;
  region.epoch.version = version;
  region.leader = region.peers[0];
  return region;
}

}  // namespace pd::test

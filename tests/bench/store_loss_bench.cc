// How long a lost store's regions wait: from the moment at which a store of a hundred has been silent for
// max-store-down-time until the first operator for one of its regions, and until there is one for each of them, when
// limits allow that. QM_BENCH_REGIONS (default 1,000,000) regions in a server without ports; stores hear what they are
// sent, and do nothing about it.
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/harness/measure.h"
#include "tests/pd/dispatch/coordinator_server.h"
#include "tests/pd/temporary_folder.h"

namespace pd::test {
namespace {

using namespace std::chrono_literals;
using scheduler::StoreId;
using test::MakeStore;

constexpr uint64_t kStores = 100;
constexpr Nanos kDownTime =
    60s;  // max-store-down-time here, so that fewer heartbeats pass meanwhile.

uint64_t RegionCount() { return harness::RegionCount(1'000'000); }

/// Time and CPU of the whole process since it was made.
class Watch {
 public:
  [[nodiscard]] std::string Text() const {
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - start_;
    return fmt::format("{:.0f} ms, CPU {:.0f} ms", took.count(),
                       (harness::CpuSeconds() - cpu_) * 1000);
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const double cpu_ = harness::CpuSeconds();
};

class DeafStores final : public CommandSink {
 public:
  bool Send(const scheduler::Region&, const scheduler::StepCommand&) override { return true; }
};

class Bench {
 public:
  Bench() {
    scheduler::Region all;
    all.id = {RegionCount() + 1};
    all.epoch = {1, 1};
    all.peers = {{{1}, {1}}};
    REQUIRE(cluster().Bootstrap(MakeStore(1), all));
    for (uint64_t id = 2; id <= kStores; ++id) REQUIRE(cluster().stores().Put(MakeStore(id)));
    BeatAllBut({});
    for (uint64_t i = 0; i < RegionCount(); ++i) {
      REQUIRE(cluster().HandleRegionReport(MakeRegion(i)));
    }
    coordinator_->Start();
    REQUIRE(coordinator_->OnLeaderStart(member_.term()));
    Configure([](OnlineConfig& online) {
      online.schedule.max_store_down_time = kDownTime;
      // What is balanced meanwhile would have to end first.
      online.schedule.leader_schedule_limit = 0;
      online.schedule.region_schedule_limit = 0;
    });
    REQUIRE(harness::Eventually([&] { return coordinator_->planning(); }));
  }
  ~Bench() {
    coordinator_->OnLeaderStop();
    coordinator_->Stop();
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void Configure(const std::function<void(OnlineConfig&)>& change) {
    REQUIRE(member_.config().Update([&](OnlineConfig& online) -> Result<void> {
      change(online);
      return {};
    }));
  }

  /// The store falls silent and its regions elect other leaders, which miss it. Returns at the moment at which it has
  /// been silent for kDownTime.
  void Lose(StoreId store) {
    const scheduler::Instant last = *cluster().stores().Find(store)->last_heartbeat;
    for (uint64_t i = 0; i < RegionCount(); ++i) {
      scheduler::Region region = MakeRegion(i);
      if (region.PeerOnStore(store) == nullptr) continue;
      Miss(region, store);
      REQUIRE(cluster().HandleRegionReport(region));
    }
    const auto silent = [&] {
      return scheduler::Instant{std::chrono::duration_cast<Millis>(member_.moved.Monotonic())} -
             last;
    };
    while (silent() + 6s < kDownTime) {
      member_.moved.ahead = member_.moved.ahead.load() + 5s;
      BeatAllBut(store);
    }
    while (silent() < kDownTime) std::this_thread::sleep_for(100us);
  }

  /// Until so many repairs run; all stores but the lost one go on to beat.
  void WaitForRepairs(uint64_t count, StoreId lost) {
    auto next_beat = std::chrono::steady_clock::now() + 5s;
    while (coordinator_->operators().CountOf(scheduler::Kind::kReplica) < count) {
      std::this_thread::sleep_for(200us);
      if (std::chrono::steady_clock::now() < next_beat) continue;
      BeatAllBut(lost);
      next_beat += 5s;
    }
  }

  /// Regions that `store` holds.
  uint64_t Held(StoreId store) { return cluster().stores().Find(store)->counts.regions(); }

 private:
  static std::string KeyOf(uint64_t i) { return fmt::format("t{:08d}_r{:017d}", i / 100000, i); }

  static scheduler::Region MakeRegion(uint64_t i) {
    scheduler::Region region;
    region.id = {i + 1};
    region.start_key = i == 0 ? "" : KeyOf(i);
    region.end_key = i + 1 == RegionCount() ? "" : KeyOf(i + 1);
    region.epoch = {5, 10};
    for (uint64_t p = 0; p < 3; ++p) {
      region.peers.push_back({{1'000'000'000 + i * 3 + p}, {1 + (i * 7 + p * 33) % kStores}});
    }
    region.leader = region.peers[i % 3];
    region.term = 6;
    region.size_mib = 96;
    return region;
  }

  static void Miss(scheduler::Region& region, StoreId store) {
    for (const scheduler::Peer& peer : region.peers) {
      if (peer.store == store) region.down_peers.push_back({peer, 30});
      if (peer.store != store && region.leader.store == store) region.leader = peer;
    }
    ++region.term;
  }

  void BeatAllBut(StoreId silent) {
    for (uint64_t id = 1; id <= kStores; ++id) {
      if (id == silent.value) continue;
      StoreTable::Heartbeat heartbeat;
      heartbeat.id = {id};
      heartbeat.stats.capacity_bytes = 4000ULL << 30;
      heartbeat.stats.available_bytes = 1000ULL << 30;
      REQUIRE(cluster().HandleStoreReport(heartbeat));
    }
  }

  Cluster& cluster() { return member_.cluster(); }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_ = *OpenRocksDatabase(folder_.path());
  MetricsRegistry metrics_;
  DeafStores sink_;
  std::unique_ptr<Coordinator> coordinator_;
  OneMember member_{*database_, [this](OneMember& member) {
                      coordinator_ = test::MakeCoordinator(member, metrics_, sink_);
                    }};
};

TEST_CASE("regions of a lost store", "[bench]") {
  const Watch load;
  Bench bench;
  fmt::print("{} regions on {} stores reported: {}\n", RegionCount(), kStores, load.Text());

  constexpr StoreId kLost{1};
  bench.Lose(kLost);
  const Watch lost;
  bench.WaitForRepairs(1, kLost);
  fmt::print("first operator after the store counts as lost: {}\n", lost.Text());

  const Watch limited;
  std::this_thread::sleep_for(5s);
  fmt::print("5 s with the usual limits: {}\n", limited.Text());

  bench.Configure([](OnlineConfig& online) {
    online.schedule.replica_schedule_limit = RegionCount();
    constexpr double kUnlimited = scheduler::StoreLimitRates::kUnlimitedRate;
    online.schedule.default_store_limit = {kUnlimited, kUnlimited};
    for (auto& entry : online.schedule.store_limit) entry.second = {kUnlimited, kUnlimited};
  });
  const Watch allowed;
  bench.WaitForRepairs(bench.Held(kLost), kLost);
  fmt::print("an operator for each of its {} regions, once limits allow: {}\n", bench.Held(kLost),
             allowed.Text());
}

}  // namespace
}  // namespace pd::test

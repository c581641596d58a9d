// How stores come, leave, come back and go for good.
#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/cluster/cluster_metrics.h"
#include "pd/cluster/store_progress.h"
#include "tests/pd/cluster/one_member.h"

namespace pd {
namespace {

using namespace std::chrono_literals;
using Action = StoreProgress::Action;
using Destroyed = StoreTable::Destroyed;
using Force = StoreTable::Force;
using scheduler::NodeState;
using scheduler::Region;
using scheduler::Store;
using scheduler::StoreId;
using test::FirstRegion;
using test::FirstStore;
using test::MakeStore;
using test::OneMember;
using test::Reported;

/// A cluster of `count` stores; store 1 holds the only region.
class Stores {
 public:
  explicit Stores(uint64_t count) {
    REQUIRE(member.cluster().Bootstrap(FirstStore(), FirstRegion()));
    for (uint64_t id = 2; id <= count; ++id) REQUIRE(table().Put(MakeStore(id)));
    REQUIRE(member.cluster().HandleRegionReport(Reported(2, "", "", 2)));
  }

  StoreTable& table() { return member.cluster().stores(); }
  Store Of(uint64_t id) {
    const auto store = table().Find({id});
    REQUIRE(store);
    return *store;
  }
  Result<void> Remove(uint64_t id, Destroyed destroyed = Destroyed::kNo) {
    return table().Remove({id}, destroyed);
  }
  void Heartbeat(uint64_t id) { REQUIRE(table().OnHeartbeat({{id}, {}, ""})); }
  /// Regions of `size_mib` each, led by store 1 and held by `others` as well.
  void Report(size_t count, uint64_t size_mib, const std::vector<uint64_t>& others) {
    for (size_t i = 0; i < count; ++i) {
      const auto key = [&](size_t n) {
        return n == 0 || n == count ? std::string() : fmt::format("k{:04}", n);
      };
      Region region = Reported(100 + i, key(i), key(i + 1), version_);
      for (const uint64_t other : others) {
        region.peers.push_back({{1000 * other + i}, {other}});
      }
      region.epoch.conf_ver = version_;
      region.size_mib = size_mib;
      REQUIRE(member.cluster().HandleRegionReport(region));
    }
    ++version_;
  }

  void Wait(Nanos time) { member.moved.ahead = member.moved.ahead.load() + time; }

  test::FakeDatabase database;
  OneMember member{database};

 private:
  uint64_t version_ = 3;
};

TEST_CASE("all stores can be read into memory that held others", "[lifecycle]") {
  Stores stores(3);
  stores.Report(4, 96, {2});
  Store other = MakeStore(77);
  other.labels = {{"zone", "a"}, {"host", "b"}};
  other.stats.network_slow_scores[1] = 5;
  other.limits.add_peer = 1;
  std::vector<Store> read(5, other);
  stores.table().ReadAll(read);
  CHECK(read == stores.table().All());
  CHECK(read.size() == 3);
  CHECK(read[0].counts.leaders == 4);
  CHECK(read[1].counts.followers == 4);
  CHECK(read[2].counts.regions() == 0);
}

TEST_CASE("a store may leave when enough others stay up", "[lifecycle]") {
  Stores stores(4);
  REQUIRE(stores.Remove(4));
  CHECK(stores.Of(4).state == scheduler::StoreState::kOffline);
  CHECK(stores.Of(4).IsRemoving());
  CHECK(stores.Remove(4));  // Said before.
  const auto refused = stores.Remove(3);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(refused.error().context ==
        "[PD:core:ErrStoresNotEnough]can not remove store 3 since the number of up stores would "
        "be 2 while need 3");
  CHECK(stores.Of(3).IsUp());
  CHECK(stores.Remove(9).error().context == "[PD:core:ErrStoreNotFound]store 9 not found");

  SECTION("TiFlash stores neither count nor are held") {
    Store flash = MakeStore(5);
    flash.labels = {{"engine", "tiflash"}};
    REQUIRE(stores.table().Put(flash));
    CHECK_FALSE(stores.Remove(3));
    CHECK(stores.Remove(5));
  }
  SECTION("fewer replicas need fewer stores") {
    REQUIRE(stores.member.config().Update([](OnlineConfig& config) -> Result<void> {
      config.replication.max_replicas = 2;
      return {};
    }));
    CHECK(stores.Remove(3));
  }
  SECTION("a destroyed one keeps nothing either way") {
    CHECK(stores.Remove(3, Destroyed::kPhysically));
    CHECK(stores.Of(3).physically_destroyed);
  }
}

TEST_CASE("a store may not leave when the others take no leaders", "[lifecycle]") {
  Stores stores(4);
  const auto pause = [&](uint64_t id, uint32_t count) {
    REQUIRE(stores.table().Modify({id}, [&](Store& s) { s.pauses.leader_transfer_in = count; }));
  };
  for (const uint64_t id : {1U, 2U, 3U}) pause(id, 1);
  const auto refused = stores.Remove(4);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().context ==
        "[PD:core:ErrNoStoreForRegionLeader]can not remove store 4 since there are no extra up "
        "store to store the leader");
  CHECK(stores.Of(4).IsUp());
  pause(2, 0);
  CHECK(stores.Remove(4));
}

TEST_CASE("a store that leaves gives peers away without limit, and gets its limit back",
          "[lifecycle]") {
  Stores stores(4);
  ConfigStore& config = stores.member.config();
  const auto limit = [&] { return config.online()->schedule.store_limit.at(4); };
  const auto set = [&](StoreLimitConfig to) {
    REQUIRE(config.Update([&](OnlineConfig& changed) -> Result<void> {
      changed.schedule.store_limit[4] = to;
      return {};
    }));
  };
  set({5, 7});
  REQUIRE(stores.Remove(4));
  CHECK(limit().add_peer == 5);
  CHECK(limit().remove_peer == scheduler::StoreLimitRates::kUnlimitedRate);

  SECTION("also when it was said twice") {
    REQUIRE(stores.Remove(4));
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().add_peer == 5);
    CHECK(limit().remove_peer == 7);
    CHECK(stores.Of(4).IsServing());
    // Up already: nothing happens.
    set({5, 9});
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().remove_peer == 9);
  }
  SECTION("unless another is set meanwhile, which lasts as long as it is away") {
    set({5, 3});
    REQUIRE(stores.Remove(4));
    CHECK(limit().remove_peer == 3);
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().remove_peer == 7);
  }
  SECTION("the default from a later leader, who was not told what it was") {
    stores.member.cluster().OnLeaderStop();
    REQUIRE(stores.member.cluster().OnLeaderStart(stores.member.term()));
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().add_peer == 5);
    CHECK(limit().remove_peer == 15);
  }
  SECTION("one that was set by hand meanwhile stays under a later leader") {
    set({5, 11});
    stores.member.cluster().OnLeaderStop();
    REQUIRE(stores.member.cluster().OnLeaderStart(stores.member.term()));
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().remove_peer == 11);
  }
  SECTION("a configuration that could not be written is made up for by saying it again") {
    REQUIRE(stores.table().Restore({4}));
    stores.member.fail_config = true;
    CHECK_FALSE(stores.Remove(4));
    stores.member.fail_config = false;
    CHECK(stores.Of(4).IsRemoving());
    CHECK(limit().remove_peer == 7);
    REQUIRE(stores.Remove(4));
    CHECK(limit().remove_peer == scheduler::StoreLimitRates::kUnlimitedRate);
  }
  SECTION("also when it comes back") {
    stores.member.fail_config = true;
    CHECK_FALSE(stores.table().Restore({4}));
    stores.member.fail_config = false;
    CHECK(stores.Of(4).IsServing());
    CHECK(limit().remove_peer == scheduler::StoreLimitRates::kUnlimitedRate);
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().remove_peer == 7);
  }
  SECTION("one without limit has none afterwards either") {
    REQUIRE(stores.table().Restore({4}));
    set({5, scheduler::StoreLimitRates::kUnlimitedRate});
    REQUIRE(stores.Remove(4));
    REQUIRE(stores.table().Restore({4}));
    CHECK(limit().remove_peer == scheduler::StoreLimitRates::kUnlimitedRate);
  }
}

TEST_CASE("what is destroyed does not come back, and frees its address", "[lifecycle]") {
  Stores stores(5);
  Store other = MakeStore(9);
  other.address = MakeStore(5).address;
  REQUIRE(stores.Remove(5));
  CHECK_FALSE(stores.table().Put(other));  // It may still come back.
  REQUIRE(stores.Remove(5, Destroyed::kPhysically));
  const std::string destroyed = "[PD:core:ErrStoreDestroyed]store 5 has been physically destroyed";
  CHECK(stores.table().Restore({5}).error().context == destroyed);
  CHECK(stores.Remove(5).error().context == destroyed);
  CHECK(stores.Remove(5, Destroyed::kPhysically));
  CHECK(stores.table().Put(other));
}

TEST_CASE("a tombstone stays one, until nobody needs it", "[lifecycle]") {
  Stores stores(5);
  stores.Heartbeat(5);
  REQUIRE(stores.Remove(5));
  stores.table().UpdateStates();
  CHECK(stores.Of(5).IsRemoved());
  CHECK_FALSE(stores.member.config().online()->schedule.store_limit.contains(5));
  const std::string gone = "[PD:core:ErrStoreRemoved]store 5 has been removed";
  CHECK(stores.Remove(5).error().context == gone);
  CHECK(stores.Remove(5, Destroyed::kPhysically).error().context == gone);
  CHECK(stores.table().Restore({5}).error().context == gone);
  CHECK(stores.table().Put(MakeStore(5)).error().context == "store is tombstone");
  CHECK(stores.table().Bury({5}, Force::kNo));
  Store other = MakeStore(9);
  other.address = MakeStore(5).address;
  CHECK(stores.table().Put(other));

  SECTION("a month later it goes by itself") {
    stores.member.moved.ahead = 24h * 30 - 1min;
    stores.table().UpdateStates();
    CHECK(stores.table().Contains({5}));
    stores.member.moved.ahead = 24h * 30 + 1min;
    stores.table().UpdateStates();
    CHECK_FALSE(stores.table().Contains({5}));
  }
  SECTION("or when asked to") {
    CHECK(stores.table().RemoveTombstones()->empty());
    CHECK_FALSE(stores.table().Contains({5}));
    CHECK(stores.table().Contains({4}));
  }
  SECTION("but not while regions are on it") {
    stores.Report(2, 10, {5});
    const auto failed = stores.table().RemoveTombstones();
    REQUIRE(failed);
    CHECK(*failed == std::vector<StoreId>{{5}});
    stores.member.moved.ahead = 24h * 31;
    stores.table().UpdateStates();
    CHECK(stores.table().Contains({5}));
  }
}

TEST_CASE("a store that is up is buried by force alone, and only when it is silent",
          "[lifecycle]") {
  Stores stores(4);
  stores.Heartbeat(4);
  const std::string up =
      "[PD:core:ErrStoreIsUp]store 4 is still up, please remove store gracefully";
  CHECK(stores.table().Bury({4}, Force::kNo).error().context == up);
  CHECK(stores.table().Bury({4}, Force::kYes).error().context == up);
  stores.member.moved.ahead = 21s;
  CHECK(stores.table().Bury({4}, Force::kNo).error().context == up);
  CHECK(stores.table().Bury({4}, Force::kYes));
  CHECK(stores.Of(4).IsRemoved());
}

TEST_CASE("a store that leaves is measured, buried, and shown as done", "[lifecycle]") {
  Stores stores(4);
  stores.Report(10, 30, {4});
  REQUIRE(stores.Remove(4));
  const auto& progress = stores.table().progress();
  CHECK_FALSE(progress.Find({4}));  // Not before the job came round.
  stores.table().UpdateStates();
  REQUIRE(progress.Find({4}));
  CHECK(progress.Find({4})->action == Action::kRemoving);
  CHECK(progress.Find({4})->fraction == 0);
  stores.Wait(10s);
  stores.Report(10, 12, {4});
  stores.table().UpdateStates();
  CHECK(progress.Find({4})->fraction == Approx(0.6));
  CHECK(progress.Find({4})->speed_mib_per_s > 0);
  CHECK(progress.All().size() == 1);

  SECTION("on the metrics page, too") {
    MetricsRegistry registry;
    const ClusterMetrics metrics(stores.member.cluster(), registry);
    const std::string page = registry.Render();
    const std::string labels = R"({address="",store="4",action="removing"} )";
    CHECK(page.find("pd_cluster_progress" + labels + "0.6\n") != std::string::npos);
    CHECK(page.find("pd_cluster_speed" + labels) != std::string::npos);
    CHECK(page.find("pd_cluster_eta" + labels) != std::string::npos);
    stores.member.cluster().OnLeaderStop();
    CHECK(registry.Render().find("pd_cluster_progress") == std::string::npos);
  }
  SECTION("to the end") {
    stores.Report(10, 12, {3});
    stores.table().UpdateStates();
    CHECK(stores.Of(4).IsRemoved());
    REQUIRE(progress.Find({4}));
    CHECK(progress.Find({4})->fraction == 1);
    CHECK(progress.Find({4})->left_s == 0);
    stores.table().UpdateStates();
    CHECK(progress.Find({4}));
    stores.Wait(31s);
    CHECK_FALSE(progress.Find({4}));
  }
  SECTION("unless it comes back") {
    REQUIRE(stores.table().Restore({4}));
    CHECK_FALSE(progress.Find({4}));
  }
  SECTION("a new leader says nothing before it knows what stores hold") {
    Cluster& cluster = stores.member.cluster();
    cluster.OnLeaderStop();
    REQUIRE(cluster.OnLeaderStart(stores.member.term()));
    CHECK_FALSE(cluster.IsPrepared());
    stores.table().UpdateStates();
    CHECK_FALSE(progress.Find({4}));
    CHECK(stores.Of(4).IsRemoving());
    stores.Report(10, 12, {4});
    REQUIRE(cluster.IsPrepared());
    stores.table().UpdateStates();
    REQUIRE(progress.Find({4}));
    CHECK(progress.Find({4})->fraction == 0);
  }
}

TEST_CASE("a new store is ready with most of its fair share", "[lifecycle]") {
  Stores stores(4);
  for (const uint64_t id : {1U, 2U, 3U}) {
    REQUIRE(stores.table().Modify({id}, [](Store& s) { s.node_state = NodeState::kServing; }));
  }
  const auto& progress = stores.table().progress();

  SECTION("at once in a small cluster") {
    stores.Report(99, 10, {2, 3});
    stores.table().UpdateStates();
    CHECK(stores.Of(4).IsServing());
    CHECK_FALSE(progress.Find({4}));
  }
  SECTION("else with nine tenths of it") {
    stores.Report(100, 40, {2, 3});
    stores.table().UpdateStates();
    // A quarter of 3 copies of 4000 MiB, less a tenth.
    CHECK(stores.Of(4).IsPreparing());
    REQUIRE(progress.Find({4}));
    CHECK(progress.Find({4})->action == Action::kPreparing);
    CHECK(progress.Find({4})->fraction == 0);
    stores.Wait(10s);
    stores.Report(100, 13, {4});
    stores.table().UpdateStates();  // 1300 of 877.5.
    CHECK(stores.Of(4).IsServing());
    CHECK(progress.Find({4})->fraction == 1);
  }
  SECTION("by the rules, where they put little on it") {
    REQUIRE(stores.table().SetLabels({4}, {{"disk", "ssd"}}, StoreTable::Labels::kMerge));
    REQUIRE(stores.member.cluster().rules().Change([](PlacementRules::Editor& editor) {
      scheduler::Rule hdd = scheduler::DefaultRule(3, {}, "");
      hdd.constraints = {{"disk", scheduler::ConstraintOp::kNotIn, {"ssd"}}};
      editor.Set(hdd);
      scheduler::Rule ssd = hdd;
      ssd.id = "ssd";
      ssd.range = {"k0050", "k0060"};
      ssd.start_hex = "6b30303530";
      ssd.end_hex = "6b30303630";
      ssd.count = 1;
      ssd.role = scheduler::RuleRole::kFollower;
      ssd.constraints = {{"disk", scheduler::ConstraintOp::kIn, {"ssd"}}};
      editor.Set(ssd);
    }));
    stores.Report(100, 40, {2, 3});
    stores.table().UpdateStates();
    REQUIRE(progress.Find({4}));
    // 10 regions of 40 MiB, less a tenth: 36 of 360.
    Region tenth = Reported(149, "k0049", "k0050", 9);
    tenth.peers.push_back({{7}, {4}});
    tenth.epoch.conf_ver = 9;
    tenth.size_mib = 36;
    REQUIRE(stores.member.cluster().HandleRegionReport(tenth));
    stores.table().UpdateStates();
    CHECK(progress.Find({4})->fraction == Approx(0.1));
  }
  SECTION("or after two days") {
    stores.Report(100, 40, {2, 3});
    Store old = MakeStore(4);
    old.start_timestamp_s = stores.member.moved.UnixNanos() / 1'000'000'000 - 47 * 3600;
    REQUIRE(stores.table().Put(old));
    stores.Heartbeat(4);
    stores.table().UpdateStates();
    CHECK(stores.Of(4).IsPreparing());
    stores.Wait(2h);
    stores.Heartbeat(4);
    stores.table().UpdateStates();
    CHECK(stores.Of(4).IsServing());
  }
  SECTION("or never, if it leaves before that") {
    stores.Report(100, 40, {2, 3});
    stores.table().UpdateStates();
    REQUIRE(stores.Remove(4));
    stores.table().UpdateStates();
    CHECK(stores.Of(4).IsRemoved());
    CHECK(progress.All().empty());
  }
}

}  // namespace
}  // namespace pd

#include "pd/cluster/cluster.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "pd/cluster/cluster_metrics.h"
#include "pd/codec/cluster_codec.h"
#include "tests/harness/wait.h"
#include "tests/pd/cluster/one_member.h"
#include "tests/pd/storage/fake_database.h"

namespace pd {
namespace {

using harness::Eventually;
using test::FirstRegion;
using test::FirstStore;
using test::kClusterId;
using test::OneMember;
using test::Reported;

using namespace std::chrono_literals;
using scheduler::PeerId;
using scheduler::Region;
using scheduler::RegionId;
using scheduler::Store;
using scheduler::StoreId;

TEST_CASE("a cluster is bootstrapped once, and is there after a restart", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    CHECK_FALSE(server.cluster().running());
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    CHECK(server.cluster().running());
    const auto again = server.cluster().Bootstrap(FirstStore(), FirstRegion());
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::kAlreadyExists);
    CHECK(server.cluster().regions().Find(RegionId{2}) == FirstRegion());
    CHECK(server.meta().Get("/pd/7/raft/r/00000000000000000002").value());
    CHECK_FALSE(server.cluster().IsInitialized());
    CHECK(Eventually(
        [&] { return server.cluster().stores().Find(StoreId{1})->counts.followers == 1; }));
  }
  OneMember server(database);
  CHECK(server.cluster().running());
  CHECK(server.cluster().bootstrap_time_unix_ns() > 0);
  CHECK(server.cluster().stores().Find(StoreId{1})->address == "tikv1:20160");
}

scheduler::LabelRule LabelAll(const std::string& id, int64_t expires_unix_ns, const char* ttl) {
  scheduler::LabelRule rule;
  rule.id = id;
  rule.labels = {{"k", id, "", "", scheduler::RegionLabel::kNever}};
  rule.ranges = {{{"", "m"}, "", "6d"}};
  if (*ttl != '\0') {
    rule.labels.front().ttl = ttl;
    rule.labels.front().start_at = "Mon Nov 23 15:59:08 UTC 2026";
    rule.labels.front().expires_unix_ns = expires_unix_ns;
  }
  return rule;
}

TEST_CASE("label rules outlast leaders and restarts, and are gone with the lead", "[cluster]") {
  test::FakeDatabase database;
  const auto region = Reported(9, "a", "b", 1);
  {
    OneMember server(database);
    RegionLabels& labels = server.cluster().labels();
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(labels.All().size() == 1);
    CHECK(labels.All().front().id == "keyspaces/0");
    REQUIRE(labels.Apply({{LabelAll("a/1", 0, ""), LabelAll("b", 0, "")}, {}}));
    CHECK(labels.LabelsOf(region).at("k") == "a/1");
    REQUIRE(labels.Delete("keyspaces/0"));
    CHECK(labels.Delete("keyspaces/0").error().code == ErrorCode::kNotFound);
    // What is deleted and set is set.
    REQUIRE(labels.Apply({{LabelAll("c", 0, "")}, {"a/1", "c", "not there"}}));
    CHECK(labels.LabelsOf(region).at("k") == "b");

    server.cluster().OnLeaderStop();
    CHECK(labels.All().empty());
    CHECK(labels.LabelsOf(region).empty());
    CHECK(labels.Apply({{LabelAll("d", 0, "")}, {}}).error().code == ErrorCode::kNotLeader);
    REQUIRE(server.cluster().OnLeaderStart(server.term()));
    CHECK(labels.All().size() == 2);
    REQUIRE(server.meta().Put("/pd/7/region_label/broken", "{", 3s));
  }
  OneMember server(database);
  const RegionLabels& labels = server.cluster().labels();
  REQUIRE(labels.All().size() == 2);  // The deleted one does not come back either.
  CHECK(labels.Find("b") == LabelAll("b", 0, ""));
  CHECK(labels.Find("c") == LabelAll("c", 0, ""));
  CHECK_FALSE(labels.Find("a/1"));
  CHECK(server.meta().Get("/pd/7/region_label/broken").value());
}

TEST_CASE("a label rule whose write was given up is seen and can be deleted", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  test::StalledDisk disk(database);
  CHECK_FALSE(labels.Apply({{LabelAll("late", 0, "")}, {}}));
  disk.Release();
  const std::string key = "/pd/7/region_label/late";
  REQUIRE(Eventually([&] { return server.meta().Get(key).value().has_value(); }));
  SECTION("the job shows it") {
    REQUIRE(labels.RemoveExpired());
    CHECK(labels.Find("late"));
  }
  SECTION("so does the next change") {
    REQUIRE(labels.Apply({{LabelAll("next", 0, "")}, {}}));
    CHECK(labels.Find("late"));
    CHECK(labels.Find("next"));
  }
  SECTION("a patch deletes it") {
    REQUIRE(labels.Apply({{}, {"late"}}));
    CHECK_FALSE(server.meta().Get(key).value());
    CHECK_FALSE(labels.Find("late"));
  }
  SECTION("a deletion does") {
    CHECK(labels.Delete("late"));
    CHECK_FALSE(server.meta().Get(key).value());
  }
}

TEST_CASE("stored label rules beyond the bounds are not in force, and can be deleted",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const std::string key = "/pd/7/region_label/large";
  const std::string rule =
      R"({"id":"large","index":0,"labels":[{"key":"k","value":"v"}],"rule_type":"key-range","data":[)"
      R"({"start_key":")" +
      std::string(40'000, '6') + R"(","end_key":""}]})";
  REQUIRE(server.meta().Put(key, rule, 3s));
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK(labels.All().empty());
  REQUIRE(labels.Apply({{}, {"large"}}));
  CHECK_FALSE(server.meta().Get(key).value());
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK(labels.Find("keyspaces/0"));
}

TEST_CASE("many label rules that expire together go some at a time", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const int64_t end = server.moved.UnixNanos() + Nanos(10h).count();
  RegionLabels::Patch patch;
  for (int i = 0; i < 300; ++i) patch.sets.push_back(LabelAll(fmt::format("r{}", i), end, "10h"));
  REQUIRE(labels.Apply(std::move(patch)));
  server.moved.ahead = Nanos(11h);
  CHECK(Eventually([&] { return labels.book()->rules().size() == 1; }));
  CHECK(server.meta().GetPrefix("/pd/7/region_label/r").value().empty());
}

TEST_CASE("labels that expired count no more, and are taken off the disk", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  RegionLabels& labels = server.cluster().labels();
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const int64_t end = server.moved.UnixNanos() + Nanos(10h).count();
  scheduler::LabelRule half = LabelAll("half", end, "10h");
  half.labels.push_back({"stays", "v", "", "", scheduler::RegionLabel::kNever});
  REQUIRE(labels.Apply({{LabelAll("whole", end, "10h"), half}, {}}));
  CHECK(labels.Find("whole"));
  CHECK(labels.Find("half")->labels.size() == 2);
  const auto kept = [&](const std::string& id) {
    const auto found = server.meta().Get("/pd/7/region_label/" + id).value();
    return found ? found->value : std::string();
  };
  CHECK(kept("whole").find("\"ttl\":\"10h\"") != std::string::npos);

  server.moved.ahead = Nanos(11h);
  CHECK_FALSE(labels.Find("whole"));
  CHECK(labels.Find("half")->labels.size() == 1);
  CHECK(labels.LabelsOf(Reported(9, "a", "b", 1)).size() == 1);
  CHECK(Eventually([&] { return !labels.book()->rules().contains("whole"); }));
  CHECK(kept("whole").empty());
  CHECK(kept("half").find("ttl") == std::string::npos);
  CHECK(kept("half").find("stays") != std::string::npos);
}

TEST_CASE("a bootstrapped region lasts from its first report on", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  }
  {
    // Nobody reported it: a later leader knows it by key alone, for a store that missed its bootstrap's answer.
    OneMember server(database);
    const RegionTable& regions = server.cluster().regions();
    CHECK_FALSE(regions.Find(RegionId{2}));
    CHECK(regions.size() == 0);
    CHECK(regions.FindByKey("") == FirstRegion());
    CHECK(server.cluster().AskSplit(FirstRegion(), 1));
    CHECK_FALSE(server.meta().Region(2).value());
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 1)));
    CHECK(regions.FindByKey("")->HasLeader());
    REQUIRE(Eventually([&] { return server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().Find(RegionId{2}));
  // What is forgotten after that is not found in the bootstrap's record either.
  server.cluster().regions().Clear();
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  CHECK_FALSE(server.cluster().regions().FindByKey(""));
}

TEST_CASE("the metrics page shows stores and regions as long as the member leads", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  MetricsRegistry registry;
  ClusterMetrics metrics(server.cluster(), registry);
  metrics.ShowSnapshots([](StoreId store) -> std::optional<ClusterMetrics::SnapshotUse> {
    if (store != StoreId{1}) return {};
    return ClusterMetrics::SnapshotUse{200, {96, 0, 0, 5}};
  });
  CHECK(registry.Render().empty());
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  Store second = FirstStore();
  second.id = StoreId{2};
  second.address = "tiflash\"2";
  second.labels = {{"engine", "tiflash"}};
  REQUIRE(server.cluster().stores().Put(second));
  scheduler::StoreStats stats;
  stats.capacity_bytes = 1000;
  stats.available_bytes = 10;
  stats.used_bytes = 200;
  stats.bytes_written = 50;
  stats.interval_start_s = 100;
  stats.interval_end_s = 110;
  stats.slow_score = 80;
  stats.read_io_rates = {{"a", 3}, {"b", 4}};
  REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, stats, ""}));
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
  REQUIRE(server.cluster().HandleRegionReport(Reported(3, "m", "", 2)));
  REQUIRE(server.cluster().HandleRegionReport(Reported(3, "m", "", 2)));  // No news.
  REQUIRE(server.cluster().safe_points().AdvanceTxn(9));
  REQUIRE(server.cluster().safe_points().AdvanceGc(7));
  REQUIRE(server.cluster().affinity().Create({{"g", {{"a", "b"}}}, {"h", {{"c", "d"}}}},
                                             AffinityGroups::Existing::kRefused));
  server.cluster().affinity().SetCounts({{"g", {0, 3, 0}}, {"h", {0, 4, 0}}});

  const std::string page = registry.Render();
  for (
      const std::string_view line : {
          R"(pd_cluster_status{type="store_slow_count",engine="tikv",store="1"} 1)",
          R"(pd_cluster_status{type="store_up_count",engine="tikv",store="1"} 0)",
          R"(pd_cluster_status{type="store_down_count",engine="tiflash",store="2"} 1)",
          R"(pd_cluster_status{type="storage_capacity",engine="tikv",store="1"} 1000)",
          R"(pd_cluster_status{type="leader_count",engine="tikv",store="1"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="region_count"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="leader_score"} 2)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="store_available"} 10)",
          R"(pd_scheduler_store_status{address="tiflash\"2",store="2",type="region_count"} 0)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_size"} 200)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_used_level_low"} 96)",
          R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type="windows_used_level_urgent"} 5)",
          R"(pd_cluster_store_limit{store="2",type="remove-peer"} 30)",
          R"(pd_cluster_store_limit{store="2",type="add-peer"} 30)",
          R"(pd_config_status{type="max-replicas"} 3)",
          R"(pd_config_status{type="max-merge-region-keys"} 540000)",
          R"(pd_config_status{type="enable-remove-down-replica"} 1)",
          R"(pd_cluster_region_event{event="update_cache"} 2)",
          R"(pd_cluster_region_event{event="update_kv"} 2)",
          R"(pd_gc_gc_safepoint{type="gc_safepoint"} 7)",
          R"(pd_affinity_status{type="group-count"} 2)",
          R"(pd_affinity_status{type="region-count"} 7)",
          R"(pd_affinity_status{type="affinity-region-count"} 0)",
      }) {
    INFO(line);
    CHECK(page.find(std::string(line) + "\n") != std::string::npos);
  }
  for (const char* type : {"store_write_rate_bytes", "store_write_rate_bytes_instant"}) {
    const std::string line =
        R"(pd_scheduler_store_status{address="tikv1:20160",store="1",type=")" + std::string(type);
    CHECK(page.find(line + "\"} 5\n") != std::string::npos);
  }
  CHECK(page.find(R"(type="store_disk_read_rate"} 7)") != std::string::npos);
  const std::string next =
      fmt::format("{}", static_cast<double>(server.cluster().feed().next_index()));
  CHECK(page.find(R"(pd_region_syncer_status{type="last_index"} )" + next) != std::string::npos);

  server.cluster().OnLeaderStop();
  const std::string after = registry.Render();
  CHECK(after.find("pd_cluster_status") == std::string::npos);
  CHECK(after.find("pd_scheduler_store_status") == std::string::npos);
  CHECK(after.find("pd_config_status") == std::string::npos);
  CHECK(after.find("pd_region_syncer_status") == std::string::npos);
  CHECK(after.find("pd_gc_gc_safepoint") == std::string::npos);
  CHECK(after.find("pd_affinity_status") == std::string::npos);
  CHECK(after.find(R"(pd_cluster_region_event{event="update_kv"} 2)") != std::string::npos);
}

TEST_CASE("a slow store wakes the regions of the others, at most once in ten minutes each",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  for (const uint64_t id : {2U, 3U, 4U}) REQUIRE(stores.Put(test::MakeStore(id)));
  const auto beat = [&](uint64_t id, uint64_t slow_score) {
    scheduler::StoreStats stats;
    stats.slow_score = slow_score;
    REQUIRE(stores.OnHeartbeat({StoreId{id}, stats, ""}));
  };
  using Ids = std::vector<StoreId>;
  beat(2, 79);
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(2, 80);
  CHECK(stores.WakeFor(StoreId{2}).empty());
  CHECK(stores.WakeFor(StoreId{9}).empty());
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{2}});
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(4, 100);
  CHECK(stores.WakeFor(StoreId{3}) == Ids{StoreId{2}, StoreId{4}});

  server.moved.ahead = 9min;
  CHECK(stores.WakeFor(StoreId{1}).empty());
  server.moved.ahead = 11min;
  beat(2, 1);
  REQUIRE(stores.Modify(StoreId{3}, [](Store& store) {
    store.node_state = scheduler::NodeState::kRemoved;
    store.stats.slow_score = 100;
  }));
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{4}});
  beat(4, 1);
  server.moved.ahead = 22min;
  CHECK(stores.WakeFor(StoreId{1}).empty());
  beat(4, 80);  // That nobody was slow used nothing up.
  CHECK(stores.WakeFor(StoreId{1}) == Ids{StoreId{4}});
}

TEST_CASE("bootstrap says what is wrong, in the reference's order", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  const auto refusal = [&](const std::optional<Store>& store, const std::optional<Region>& region) {
    const auto done = server.cluster().Bootstrap(store, region);
    return done ? "" : done.error().context;
  };
  CHECK(refusal({}, {}) == "missing store meta for bootstrap 7");
  CHECK(refusal(Store{}, {}) == "invalid zero store id");
  CHECK(refusal(FirstStore(), {}) == "missing region meta for bootstrap 7");
  Region region = FirstRegion();
  region.start_key = "a";
  CHECK(refusal(FirstStore(), region) ==
        "invalid first region key range, must all be empty for bootstrap 7");
  region = FirstRegion();
  region.id = RegionId{0};
  CHECK(refusal(FirstStore(), region) == "invalid zero region id");
  region = FirstRegion();
  region.peers.push_back({PeerId{4}, StoreId{1}});
  CHECK(refusal(FirstStore(), region) ==
        "invalid first region peer count 2, must be 1 for bootstrap 7");
  region = FirstRegion();
  region.peers[0].store = StoreId{9};
  CHECK(refusal(FirstStore(), region) == "invalid peer store id 9 != 1 for bootstrap 7");
  region = FirstRegion();
  region.peers[0].id = PeerId{0};
  CHECK(refusal(FirstStore(), region) == "invalid zero peer id");
  CHECK_FALSE(server.cluster().running());
}

TEST_CASE("a bootstrap that outlives the lead starts nothing", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  server.cluster().OnLeaderStop();
  const auto done = server.cluster().Bootstrap(FirstStore(), FirstRegion());
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kNotLeader);
  CHECK_FALSE(server.cluster().running());
  CHECK(server.cluster().stores().All().empty());
}

TEST_CASE("a bootstrap that is late leaves a later lead alone", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  // Committed, but its thread goes on only after the lead was lost and won again.
  bool late = false;
  server.on_cluster_id = [&] {
    if (late || !server.meta().Get(ClusterPaths(kClusterId).Cluster()).value()) return;
    late = true;
    cluster.OnLeaderStop();
    REQUIRE(cluster.OnLeaderStart(server.term() + 1));
  };
  const auto done = cluster.Bootstrap(FirstStore(), FirstRegion());
  REQUIRE(late);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kNotLeader);
  CHECK(cluster.running());
  CHECK(cluster.stores().Contains(StoreId{1}));
  // Writes belong to the later term, which Raft has not come to here.
  CHECK_FALSE(cluster.stores().SetWeights(StoreId{1}, 2, 2));
}

TEST_CASE("the loser of two bootstraps takes nothing back from the running cluster", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  const ClusterPaths paths(kClusterId);
  REQUIRE(server.meta().Put(paths.Cluster(), EncodeClusterMeta({kClusterId, 3}), Millis{5000}));
  REQUIRE(server.meta().Put(paths.Store(1), EncodeStore(FirstStore()), Millis{5000}));
  bool put = false;
  const auto put_second = [&] {
    if (std::exchange(put, true)) return;
    Store second = FirstStore();
    second.id = StoreId{2};
    second.address = "tikv2:20160";
    REQUIRE(cluster.stores().Put(second));
  };
  // Both have lost by now, to an earlier try. The other one is done before this one reads; then a store comes, at the
  // worst moment of a second reading if there is one.
  int calls = 0;
  server.on_cluster_id = [&] {
    if (++calls == 4) CHECK_FALSE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  };
  server.moved.on_unix_nanos = [&] {
    if (cluster.running()) put_second();
  };
  CHECK_FALSE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  REQUIRE(calls > 4);
  REQUIRE(cluster.running());
  server.moved.on_unix_nanos = nullptr;
  put_second();
  CHECK(cluster.stores().Contains(StoreId{2}));
}

TEST_CASE("a bootstrap whose answer was lost is found by the next try", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  const ClusterPaths paths(kClusterId);
  REQUIRE(server.meta().Put(paths.Cluster(), EncodeClusterMeta({kClusterId, 3}), Millis{5000}));
  CHECK_FALSE(server.cluster().running());
  const auto again = server.cluster().Bootstrap(FirstStore(), FirstRegion());
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kConflict);
  CHECK(server.cluster().running());
}

TEST_CASE("one region is a whole cluster only with the first key and all its replicas",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  Region whole = Reported(2, "", "", 2);
  whole.peers.push_back({PeerId{4}, StoreId{2}});
  whole.peers.push_back({PeerId{5}, StoreId{3}});
  whole.pending_peers = {whole.peers[2]};
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK_FALSE(server.cluster().IsInitialized());
  whole.pending_peers.clear();
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK(server.cluster().IsInitialized());
  whole.start_key = "a";
  whole.epoch.version = 3;
  REQUIRE(server.cluster().HandleRegionReport(whole));
  CHECK_FALSE(server.cluster().IsInitialized());
  REQUIRE(server.cluster().HandleRegionReport(Reported(9, "", "a", 3)));
  CHECK(server.cluster().IsInitialized());
}

TEST_CASE("what heartbeats bring lasts", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "m", "", 2)));
    REQUIRE(server.cluster().HandleRegionReport(Reported(5, "", "m", 2)));
    const auto stale = server.cluster().HandleRegionReport(Reported(2, "", "", 1));
    REQUIRE_FALSE(stale);
    CHECK(stale.error().code == ErrorCode::kStaleEpoch);
    // Saved behind the heartbeats' back.
    REQUIRE(Eventually([&] { return server.meta().Region(5).value().has_value(); }));
    REQUIRE(Eventually([&] { return server.meta().Region(2).value()->version == 2; }));
    // A merge takes the record of the region that is gone along.
    REQUIRE(server.cluster().HandleRegionReport(Reported(5, "", "", 4)));
    REQUIRE(Eventually([&] { return !server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().size() == 1);
  CHECK(server.cluster().regions().FindByKey("x")->id == RegionId{5});
}

TEST_CASE("a region's encryption meta lasts with its record", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    Region first = FirstRegion();
    first.encryption_meta = "\x08\x01";  // key_id 1, as in a metapb.Region.
    REQUIRE(server.cluster().Bootstrap(FirstStore(), first));
  }
  const auto saved = [](OneMember& server) {
    const auto record = server.meta().Region(2).value();
    return record ? record->encryption_meta : "none";
  };
  {
    OneMember server(database);
    CHECK(server.cluster().regions().FindByKey("")->encryption_meta == "\x08\x01");
    Region report = Reported(2, "", "", 2);
    report.encryption_meta = "\x08\x02";
    REQUIRE(server.cluster().HandleRegionReport(report));
    REQUIRE(Eventually([&] { return saved(server) == "\x08\x02"; }));
    report.encryption_meta = "\x08\x03";  // With the epoch of before.
    REQUIRE(server.cluster().HandleRegionReport(report));
    REQUIRE(Eventually([&] { return saved(server) == "\x08\x03"; }));
  }
  OneMember server(database);
  CHECK(server.cluster().regions().Find(RegionId{2})->encryption_meta == "\x08\x03");
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
  REQUIRE(Eventually([&] { return saved(server).empty(); }));
  CHECK(server.cluster().regions().Find(RegionId{2})->encryption_meta.empty());
}

TEST_CASE("stores keep what was set, and forget statistics", "[cluster]") {
  test::FakeDatabase database;
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    StoreTable& stores = server.cluster().stores();
    Store second = FirstStore();
    second.id = StoreId{2};
    second.address = "tikv2:20160";
    second.labels = {{"zone", "z1"}};
    REQUIRE(stores.Put(second));
    second.labels = {{"Zone", "z2"}, {"host", "h"}};
    REQUIRE(stores.Put(second));
    REQUIRE(stores.SetWeights(StoreId{2}, 0.5, 2));
    scheduler::StoreStats stats;
    stats.capacity_bytes = 100;
    REQUIRE(stores.OnHeartbeat({StoreId{2}, stats, "raw"}));
    CHECK(stores.Find(StoreId{2})->stats.capacity_bytes == 100);
    CHECK(stores.RawStats(StoreId{2}) == "raw");
    CHECK_FALSE(stores.OnHeartbeat({StoreId{9}, {}, ""}));
    CHECK(stores.DeleteLabel(StoreId{2}, "none").error().context ==
          "the label key none does not exist");
  }
  OneMember server(database);
  const auto store = server.cluster().stores().Find(StoreId{2});
  REQUIRE(store);
  CHECK(store->labels == std::vector<scheduler::StoreLabel>{{"Zone", "z2"}, {"host", "h"}});
  CHECK(store->leader_weight == 0.5);
  CHECK(store->region_weight == 2);
  CHECK_FALSE(store->has_stats);
}

TEST_CASE("a heartbeat takes no change of its store back, and a store with peers stays",
          "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  const auto stored = [&] { return *DecodeStore(server.meta().Get(key).value()->value); };
  Store removing = stored();
  removing.state = scheduler::StoreState::kOffline;
  removing.node_state = scheduler::NodeState::kRemoving;
  REQUIRE(server.meta().Put(key, EncodeStore(removing), Millis{5000}));  // Not shown yet.
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  REQUIRE(Eventually([&] { return stored().last_heartbeat_unix_ns != 0; }));
  CHECK(stored().IsRemoving());

  REQUIRE(Eventually([&] { return stores.Find(StoreId{1})->counts.followers == 1; }));
  REQUIRE(stores.Modify(StoreId{1}, [](Store& store) {
    store.state = scheduler::StoreState::kOffline;
    store.node_state = scheduler::NodeState::kRemoving;
  }));
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{1})->IsRemoving());
}

TEST_CASE("the time of a heartbeat is saved with a later one when it could not be", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  REQUIRE(server.meta().Delete(key, "", Millis{5000}));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  stores.SaveHeartbeats();
  REQUIRE(server.meta().Put(key, EncodeStore(FirstStore()), Millis{5000}));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  const auto saved = [&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns;
  };
  stores.SaveHeartbeats();
  const int64_t first = saved();
  CHECK(first != 0);
  // Not with every one.
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  stores.SaveHeartbeats();
  CHECK(saved() == first);
  server.moved.ahead = 6min;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, {}, ""}));
  CHECK(Eventually([&] { return saved() > first; }));  // By the job.
}

TEST_CASE("a store heartbeat does not wait for Raft", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  StoreTable& stores = server.cluster().stores();
  test::StalledDisk disk(database);
  const SystemClock clock;
  const Nanos begun = clock.Monotonic();
  const bool answered = stores.OnHeartbeat({StoreId{1}, {}, ""}).has_value();
  const Nanos taken = clock.Monotonic() - begun;
  disk.Release();
  CHECK(answered);
  CHECK(taken < 2s);
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(Eventually([&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0;
  }));
}

TEST_CASE("a store heartbeat is answered once its time is written", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  database.OnWrite([](Durability) { std::this_thread::sleep_for(20ms); });
  server.moved.stands = true;  // It does not lose patience.
  REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0);
  server.moved.stands = false;
  database.OnWrite(nullptr);
}

TEST_CASE("a store heartbeat is answered though its time cannot be written", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  test::StalledDisk disk(database);
  CHECK(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
  disk.Release();
  const std::string key = "/pd/7/raft/s/00000000000000000001";
  CHECK(Eventually([&] {
    return DecodeStore(server.meta().Get(key).value()->value)->last_heartbeat_unix_ns != 0;
  }));
}

TEST_CASE("a lead that is won again waits for reports of its own", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  Cluster& cluster = server.cluster();
  REQUIRE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  const Region low = Reported(2, "", "m", 2);
  Region high = Reported(3, "m", "", 2);
  high.pending_peers = {high.peers[0]};
  REQUIRE(cluster.HandleRegionReport(low));
  REQUIRE(cluster.HandleRegionReport(high));
  REQUIRE(cluster.IsPrepared());
  cluster.OnLeaderStop();
  CHECK(cluster.regions().refreshed() == 0);
  REQUIRE(cluster.OnLeaderStart(server.term()));
  CHECK(cluster.regions().size() == 2);
  CHECK_FALSE(cluster.IsPrepared());
  // Without any news.
  REQUIRE(cluster.HandleRegionReport(low));
  CHECK_FALSE(cluster.IsPrepared());
  REQUIRE(cluster.HandleRegionReport(high));
  CHECK(cluster.regions().refreshed() == 2);
  CHECK(cluster.regions().SumsOf(StoreId{1}).refreshed == 2);
  CHECK(cluster.IsPrepared());
}

TEST_CASE("a new leader gives the stores of its predecessor time to speak up", "[cluster]") {
  constexpr auto kMinutes = std::chrono::minutes(7);
  test::FakeDatabase database;
  {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes});
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    REQUIRE(server.cluster().stores().Put(test::MakeStore(2)));  // Never heard.
    REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    server.cluster().DoDue();
  }
  const auto unheard = [](double seconds) {
    return scheduler::Refusal{scheduler::Reason::kStoresUnheard, StoreId{1}, {}, seconds, 20, {}};
  };
  SECTION("that they take") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().RefuseUnprepared() == unheard(0));
    CHECK_FALSE(server.cluster().IsPrepared());
    REQUIRE(server.cluster().HandleStoreReport({StoreId{1}, {}, ""}));
    CHECK(server.cluster().IsPrepared());
  }
  SECTION("not counting the time in which it cannot hear them yet") {
    const auto loads_slowly = [&](OneMember& server) {
      server.moved.on_unix_nanos = [&] { server.moved.StandAt(kMinutes + 60s); };
    };
    OneMember server(database, loads_slowly, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().RefuseUnprepared() == unheard(0));
  }
  SECTION("and no more") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 30s});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    server.moved.StandAt(kMinutes + 49s);
    CHECK(server.cluster().RefuseUnprepared() == unheard(19));
    CHECK_FALSE(server.cluster().IsPrepared());
    server.moved.StandAt(kMinutes + 50s);
    CHECK(server.cluster().IsPrepared());
  }
  SECTION("unless they were lost before") {
    OneMember server(database, nullptr, {Cluster::Drive::kByHand, kMinutes + 31min});
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "", 2)));
    CHECK(server.cluster().IsPrepared());
  }
}

TEST_CASE("an empty store is buried once enough regions have reported to this leader",
          "[cluster]") {
  test::FakeDatabase database;
  const auto leave = [](StoreTable& stores, uint64_t id) {
    REQUIRE(stores.Modify(StoreId{id}, [](Store& store) {
      store.state = scheduler::StoreState::kOffline;
      store.node_state = scheduler::NodeState::kRemoving;
    }));
  };
  {
    OneMember server(database);
    REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
    StoreTable& stores = server.cluster().stores();
    for (const uint64_t id : {2U, 3U}) REQUIRE(stores.Put(test::MakeStore(id)));
    // No earlier leader was told anything.
    CHECK_FALSE(server.cluster().IsPrepared());
    leave(stores, 3);
    stores.UpdateStates();
    CHECK(stores.Find(StoreId{3})->IsRemoved());
    REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
    REQUIRE(Eventually([&] { return server.meta().Region(2).value().has_value(); }));
  }
  OneMember server(database);
  StoreTable& stores = server.cluster().stores();
  leave(stores, 2);
  scheduler::StoreStats stats;
  stats.region_count = 2;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK_FALSE(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoving());

  // Of all known regions, but not of those that store 1 says it holds.
  REQUIRE(server.cluster().HandleRegionReport(Reported(2, "", "m", 2)));
  CHECK_FALSE(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoving());

  REQUIRE(server.cluster().HandleRegionReport(Reported(5, "m", "", 2)));
  CHECK(server.cluster().IsPrepared());
  stores.UpdateStates();
  CHECK(stores.Find(StoreId{2})->IsRemoved());

  // Known for as long as this member leads, whatever stores say later; not any longer.
  stats.region_count = 100;
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK(server.cluster().IsPrepared());
  server.cluster().OnLeaderStop();
  REQUIRE(server.cluster().OnLeaderStart(server.term()));
  REQUIRE(stores.OnHeartbeat({StoreId{1}, stats, ""}));
  CHECK_FALSE(server.cluster().IsPrepared());
}

TEST_CASE("split ids come in a row, region first", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  const auto splits = server.cluster().AskSplit(FirstRegion(), 2);
  REQUIRE(splits);
  REQUIRE(splits->size() == 2);
  CHECK((*splits)[1].region_id == (*splits)[0].peer_ids.back() + 1);
  Region older = FirstRegion();
  older.epoch = {0, 1};
  CHECK(server.cluster().AskSplit(older, 1).error().context ==
        "invalid region epoch, request: version:1 , current: conf_ver:1 version:1 ");
  CHECK(server.cluster().AskSplit(FirstRegion(), 4'000'000'000U).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("observers hear of splits that are granted for a reason", "[cluster]") {
  struct Ear final : RegionObserver {
    void OnRegionReported(const Region&, const scheduler::RegionChange&) override {}
    void OnSplitGranted(const GrantedSplit& split) override { heard.push_back(split); }
    std::vector<GrantedSplit> heard;
  };
  Ear ear;
  test::FakeDatabase database;
  OneMember server(database, [&](OneMember& member) { member.cluster().AddObserver(ear); });
  Cluster& cluster = server.cluster();
  REQUIRE(cluster.Bootstrap(FirstStore(), FirstRegion()));
  REQUIRE(cluster.HandleRegionReport(Reported(2, "", "m", 5)));
  constexpr auto kLoad = scheduler::SplitReason::kLoad;

  // Nobody splits: nothing was asked for, nothing granted, or no reason given.
  REQUIRE(cluster.AskSplit(Reported(2, "", "m", 5), 0, kLoad));
  CHECK_FALSE(cluster.AskSplit(Reported(2, "", "m", 4), 1, kLoad));
  REQUIRE(cluster.AskSplit(Reported(2, "", "m", 5), 1));
  CHECK(ear.heard.empty());

  const auto splits = cluster.AskSplit(Reported(2, "", "m", 5), 2, kLoad);
  REQUIRE(splits);
  REQUIRE(ear.heard.size() == 1);
  const GrantedSplit& split = ear.heard[0];
  CHECK(split.source == RegionId{2});
  CHECK(split.version == 5);
  CHECK(split.range == scheduler::KeyRange{"", "m"});
  CHECK(split.regions == std::vector<RegionId>{{(*splits)[0].region_id}, {(*splits)[1].region_id}});
  CHECK(split.reason == kLoad);
  // A store may know more of a region than this server does: that it has split, and is another.
  REQUIRE(cluster.AskSplit(Reported(9, "f", "h", 7), 1, scheduler::SplitReason::kSize));
  REQUIRE(ear.heard.size() == 2);
  CHECK(ear.heard[1].source == RegionId{9});
  CHECK(ear.heard[1].version == 7);
  CHECK(ear.heard[1].range == scheduler::KeyRange{"f", "m"});
  CHECK(ear.heard[1].reason == scheduler::SplitReason::kSize);
}

TEST_CASE("safe points only rise, and barriers hold them", "[cluster]") {
  test::FakeDatabase database;
  OneMember server(database);
  REQUIRE(server.cluster().Bootstrap(FirstStore(), FirstRegion()));
  SafePoints& points = server.cluster().safe_points();
  using Scope = SafePoints::Scope;
  CHECK(points.AdvanceTxn(100)->after == 100);
  CHECK_FALSE(points.AdvanceTxn(99));
  CHECK_FALSE(points.AdvanceGc(101));
  CHECK(points.AdvanceGc(80)->after == 80);
  CHECK(points.RaiseGc(10).value() == 80);

  CHECK_FALSE(points.SetBarrier(Scope::kCluster, "late", 99, 100));
  CHECK_FALSE(points.SetBarrier(Scope::kCluster, SafePoints::kGcWorker, 200, 100));
  REQUIRE(points.SetBarrier(Scope::kCluster, "backup", 150, 100));
  const auto held = points.AdvanceTxn(200);
  CHECK(held->after == 150);
  CHECK(held->blocker_id == "backup");
  REQUIRE(points.SetBarrier(Scope::kGlobal, "wide", 160, SafePoints::kForever));
  CHECK(points.DeleteBarrier(Scope::kCluster, "backup").value()->ts == 150);
  CHECK_FALSE(points.DeleteBarrier(Scope::kCluster, "backup").value());
  CHECK(points.AdvanceTxn(200)->after == 160);

  REQUIRE(server.meta().Put("/tidb/server/minstartts/a", "170", Millis{5000}));
  REQUIRE(points.DeleteBarrier(Scope::kGlobal, "wide"));
  const auto started = points.AdvanceTxn(200);
  CHECK(started->after == 170);
  CHECK(started->blocker_id == "tidb_min_start_ts_/tidb/server/minstartts/a");
}

}  // namespace
}  // namespace pd
